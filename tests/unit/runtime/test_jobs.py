"""Jobs: deadlines, errors as readings, replacement, and bugs that do not end the agent."""

import asyncio

from tests.support.virtual import VirtualClock, run

from inferagent.ports import PortError
from inferagent.runtime.jobs import Jobs


async def _after(jobs: Jobs, seconds: float) -> dict[str, object]:
    await asyncio.sleep(seconds)
    return {name: (job.running, job.error, job.failures) for name, job in jobs.view()}


def _jobs(woken: list[float]) -> Jobs:
    clock = VirtualClock()
    return Jobs(clock, lambda: woken.append(clock.now()))


def test_a_deed_that_ends_is_a_success_and_wakes() -> None:
    async def story() -> None:
        woken: list[float] = []
        jobs = _jobs(woken)
        jobs.start("engine", lambda: asyncio.sleep(3), 10)
        assert (await _after(jobs, 1))["engine"] == (True, "", 0)
        assert (await _after(jobs, 3))["engine"] == (False, "", 0)
        assert woken == [3.0]

    run(story())


def test_a_deed_that_hangs_fails_at_its_deadline() -> None:
    async def story() -> None:
        jobs = _jobs([])
        jobs.start("push", lambda: asyncio.Event().wait(), 8)  # type: ignore[arg-type]
        assert (await _after(jobs, 9))["push"] == (False, "cannot finish within 8 s", 1)

    run(story())


def test_failures_in_a_row_are_counted_until_a_success() -> None:
    async def refuse() -> None:
        raise PortError("cannot reach the API")

    async def story() -> None:
        jobs = _jobs([])
        for count in (1, 2):
            jobs.start("push", refuse, 8)
            assert (await _after(jobs, 1))["push"] == (False, "cannot reach the API", count)
        jobs.start("push", lambda: asyncio.sleep(0), 8)
        assert (await _after(jobs, 1))["push"] == (False, "", 0)

    run(story())


def test_a_newer_deed_takes_the_slot() -> None:
    async def story() -> None:
        jobs, done = _jobs([]), []

        async def slow() -> None:
            await asyncio.sleep(5)
            done.append("old")

        async def quick() -> None:
            await asyncio.sleep(1)
            done.append("new")

        jobs.start("push", slow, 8)
        await asyncio.sleep(0.5)
        jobs.start("push", quick, 8)
        assert (await _after(jobs, 10))["push"] == (False, "", 0)
        assert done == ["new"]

    run(story())


def test_a_bug_in_a_deed_is_an_error_of_that_job_alone() -> None:
    async def bug() -> None:
        raise ZeroDivisionError("oops")

    async def story() -> None:
        jobs = _jobs([])
        jobs.start("engine", bug, 8)
        running, error, failures = (await _after(jobs, 1))["engine"]  # type: ignore[misc]
        assert (running, failures) == (False, 1)
        assert "internal error" in error

    run(story())


def test_cancel_ends_what_runs() -> None:
    async def story() -> None:
        jobs, ended = _jobs([]), []

        async def deed() -> None:
            try:
                await asyncio.sleep(100)
            finally:
                ended.append(True)

        jobs.start("engine", deed, 200)
        await asyncio.sleep(1)
        await jobs.cancel()
        assert ended == [True]

    run(story())
