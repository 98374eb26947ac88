"""The crowd keeps its number; failures are told by cause and window, drains by the journal."""

import asyncio

from tests.real.bars.load import CROWD, Crowd, figures, left, windows
from tests.support import virtual
from tests.support.demo_fakes import FakeWorld

from inferagent.lab.traffic_judge import Kind, Outcome, mixed


def outcome(end: float, cause: str = "", kind: str = "plain") -> Outcome:
    return Outcome(end - 1, end, kind, "", cause)


class Answered(Crowd):
    """Each request takes a second or so of virtual time; the seventh fails at once."""

    async def _one(self, session: object, kind: Kind, number: int) -> None:
        begun = self.under_way[number] = asyncio.get_running_loop().time()
        if number != 7:
            await asyncio.sleep(0.97)
        del self.under_way[number]
        now = asyncio.get_running_loop().time()
        self.outcomes.append(Outcome(begun, now, kind.name, "", "connection" if number == 7 else ""))


def test_each_user_asks_again_and_both_kinds_are_asked() -> None:
    crowd = Answered("http://127.0.0.1:1", "chat", mixed(), 0.0, users=10)

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            crowd.start(group)
            await asyncio.sleep(20)
            await crowd.stop()

    virtual.run(story())
    kinds = [each.kind for each in crowd.outcomes]
    assert 190 <= len(kinds) <= 220
    assert abs(kinds.count("stream") - kinds.count("plain")) < len(kinds) / 4
    assert len(crowd.at_once) >= 38
    assert max(crowd.at_once) == 10
    assert min(crowd.at_once[2:-1]) == 10
    assert not crowd.under_way


def test_failures_fall_into_windows_of_ten_seconds() -> None:
    failed = [outcome(1), outcome(2), outcome(25)]
    assert windows(failed, [*failed, outcome(39.5)]) == [2, 0, 1, 0]
    assert windows([], []) == []


def test_the_figures_tell_causes_and_the_least_crowd() -> None:
    seen = [outcome(1), outcome(2, "too slow"), outcome(3, kind="stream")]
    failed, concurrent, drains = figures(seen, [10, 80, 70, 80, 3], 2, {})
    assert (failed.value, failed.beside["causes"]) == (1, {"too slow": 1})
    assert failed.beside["stream"] == {"requests": 1, "median_s": 1.0, "max_s": 1.0}
    assert (concurrent.value, concurrent.beside["least"]) == (80, 70)
    assert drains.value == 2


class Written(FakeWorld):
    async def ask(self, method: str, path: str, body: object = None) -> object:
        return [
            {"time": 5.0, "body": {"enabled": False}},
            {"time": 11.0, "body": {"enabled": True}},
            {"time": 12.0, "body": {"enabled": False}},
            {"time": 13.0, "body": None},
        ]


def test_only_writes_since_then_that_take_a_pool_out_count() -> None:
    assert virtual.run(left(Written(), 10.0)) == 1


def test_the_crowd_is_larger_than_its_bar() -> None:
    assert CROWD >= 64
