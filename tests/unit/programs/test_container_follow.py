"""What becomes of a follower, whatever becomes of its container and of docker."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.support.fake_docker import FakeDocker, fake_docker, until

from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.note import Note, find, former_policy
from inferagent.programs.container_follow import AGAIN, AWAY, HOPELESS, Follower
from inferagent.programs.container_outside import Patience, Places

QUICK = Patience(daemon=0.2, owner=0.2, ending=0.4, pause=0.02, kill=2.0)


@pytest.fixture
def daemon(tmp_path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as made:
        yield made


class Outside:
    """What the follower says and does beyond docker."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.notified: list[str] = []
        self.stopped: list[str] = []

    @property
    def ready(self) -> bool:
        return any("READY=1" in words for words in self.notified)

    def notify(self, *words: str) -> None:
        self.notified.append("\n".join(words))

    def stop_unit(self, unit: str) -> bool:
        self.stopped.append(unit)
        return True


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def follower(tmp_path, daemon, outside) -> Follower:
    run = tmp_path / "run"
    run.mkdir()
    docker = Docker(daemon.socket, answers=0.3)
    places = Places(run, tmp_path / "proc")
    return Follower(
        docker,
        "vllm",
        "u.service",
        1.0,
        places,
        QUICK,
        outside.said.append,
        outside.notify,
        outside.stop_unit,
    )


@pytest.fixture
def real(daemon, tmp_path):
    """A container whose first process the kernel knows."""
    with subprocess.Popen(["sleep", "60"]) as process:
        made = daemon.add(process=process, pid=process.pid)
        folder = tmp_path / "proc" / str(process.pid)
        folder.mkdir(parents=True)
        (folder / "cgroup").write_text(f"0::/docker/{made.id}\n")
        yield made
        process.kill()


@asynccontextmanager
async def followed(follower, outside):
    """While it follows; yields the list that will hold its exit code, and the word that stops it."""
    codes, told = [], asyncio.Event()

    async def run() -> None:
        codes.append(await follower.run(told))

    async with asyncio.timeout(10.0), asyncio.TaskGroup() as group:
        group.create_task(run())
        await until(lambda: outside.ready or codes)
        yield codes, told


async def test_one_that_runs_is_adopted_without_a_restart(daemon, follower, outside):
    daemon.add(policy="unless-stopped")
    async with followed(follower, outside) as (codes, _):
        assert daemon.containers["vllm"].policy == "no"
        assert former_policy("vllm", daemon.containers["vllm"].id, follower.places.run) == (
            "unless-stopped",
            0,
        )
        assert not any(path.endswith("/start") for _, path, _ in daemon.asked)
        daemon.end("vllm", 3)
    assert codes == [3]
    assert find("vllm", follower.places.run) == Note(ended="exit code 3")


async def test_one_that_rests_is_started(daemon, follower, outside):
    daemon.add(status="exited")
    async with followed(follower, outside):
        assert daemon.containers["vllm"].status == "running"
        daemon.end("vllm")
    assert "starting the container vllm" in outside.said


async def test_the_kernels_pid_is_noted_for_the_agent(daemon, follower, outside, real):
    async with followed(follower, outside) as (codes, _):
        assert find("vllm", follower.places.run).pid == real.pid
        daemon.end("vllm", 137)
    assert codes == [137]


async def test_out_of_memory_is_told_as_such(daemon, follower, outside):
    daemon.add(oom=True, log=b"loading\n")
    async with followed(follower, outside) as (codes, _):
        daemon.end("vllm", 137)
    assert codes == [137]
    assert "  loading" in outside.said
    assert "out of memory: the kernel killed it at its limit of 32 MiB" in outside.said[-1]


async def test_a_killed_one_is_no_stop(daemon, follower, outside):
    daemon.add()
    async with followed(follower, outside) as (codes, _):
        daemon.end("vllm", 137, "kill")
    assert codes == [137]
    assert outside.stopped == []


async def test_a_persons_stop_stops_the_unit(daemon, follower, outside):
    daemon.add()
    async with followed(follower, outside) as (_, _told):
        daemon.end("vllm", 0, "kill", "stop")
        await until(lambda: outside.stopped)
    assert outside.stopped == ["u.service"]


async def test_docker_says_who_stopped_it_a_moment_after_the_end(daemon, follower, outside):
    daemon.add()
    patient = replace(follower, patience=replace(QUICK, pause=1.0))
    async with followed(patient, outside):
        daemon.end("vllm", 0, "kill")
        await until(lambda: any(path.startswith("/events") for _, path, _ in daemon.asked))
        daemon.events.append("stop")
        await until(lambda: outside.stopped)
    assert outside.stopped == ["u.service"]


async def test_a_removed_one_is_told(daemon, follower, outside):
    daemon.add()
    async with followed(follower, outside) as (codes, _):
        del daemon.containers["vllm"]
    assert codes == [1], outside.said
    assert "somebody removed" in outside.said[-1]


async def test_one_that_was_restarted_is_another_life(daemon, follower, outside, real):
    async with followed(follower, outside) as (codes, _):
        real.lives += 1
        real.process.kill()
    assert codes == [AGAIN]


async def test_one_that_nobody_makes_again(follower, outside):
    assert await follower.run(asyncio.Event()) == HOPELESS
    assert "docker run -d --name vllm" in outside.said[-1]
    assert "sudo systemctl start u.service" in outside.said[-1]


async def test_one_that_its_owner_makes_again_in_time(daemon, follower, outside):
    patient = replace(follower, patience=replace(QUICK, owner=5.0))
    async with asyncio.timeout(10.0), asyncio.TaskGroup() as group:
        run = group.create_task(patient.run(asyncio.Event()))
        await until(lambda: outside.said)
        daemon.add()
        await until(lambda: outside.ready)
        daemon.end("vllm", 5)
    assert run.result() == 5


async def test_no_daemon(follower, outside, tmp_path):
    away = replace(follower, docker=Docker(tmp_path / "away"))
    assert await away.run(asyncio.Event()) == AWAY
    assert "no docker daemon listens" in outside.said[-1]
    assert len(set(outside.said)) <= 2, "it is said once, and at the end"


async def test_a_daemon_that_hangs_from_the_begin(daemon, follower, outside):
    daemon.add()
    daemon.stalls.add("/json")
    assert await follower.run(asyncio.Event()) == AWAY
    assert "does not answer within" in outside.said[-1]


async def test_a_daemon_that_hangs_at_the_end(daemon, follower, outside, real):
    async with followed(follower, outside) as (codes, _):
        daemon.stalls.add("/json")
        real.process.kill()
    assert codes == [1]
    assert "docker does not say how" in outside.said[-1]


async def test_what_docker_refuses_is_said(daemon, follower, outside):
    daemon.add(status="exited")
    daemon.says["/start"] = (500, b'{"message": "could not select device driver"}')
    assert await follower.run(asyncio.Event()) == 1
    assert "could not select device driver" in outside.said[-1]


async def test_one_that_ends_at_once(daemon, follower, outside):
    daemon.add(status="exited", code=127)
    daemon.says["/start"] = (204, b"")
    assert await follower.run(asyncio.Event()) == 1
    assert "ended at once: exit code 127" in outside.said[-1]


async def test_a_stop_stops_the_container(daemon, follower, outside):
    daemon.add()
    async with followed(follower, outside) as (codes, told):
        told.set()
    assert codes == [0]
    assert any("/stop?t=1" in path for _, path, _ in daemon.asked)
    assert find("vllm", follower.places.run) == Note(), "how it ended is nobody's fault"


async def test_told_to_let_go_it_leaves_the_container_alone(daemon, follower, outside):
    daemon.add()
    follower.places.let_go("vllm").touch()
    async with followed(follower, outside) as (codes, told):
        told.set()
    assert codes == [0]
    assert daemon.containers["vllm"].status == "running"


@pytest.mark.parametrize("hangs", ["/json", "/stop"])
async def test_a_stop_past_a_daemon_that_hangs(daemon, follower, outside, real, hangs):
    async with followed(replace(follower, stop=0.2, docker=Docker(daemon.socket, 0.2)), outside) as (
        codes,
        told,
    ):
        daemon.stalls.add(hangs)
        told.set()
        if hangs == "/stop":
            daemon.says["/stop"] = (500, b"ill")
            daemon.stalls.clear()
        await until(lambda: real.process.poll() is not None)
    assert codes == [0]
    assert "past docker" in outside.said[-1]


async def test_where_there_is_no_way_it_says_so(daemon, follower, outside):
    daemon.add()
    async with followed(follower, outside) as (codes, told):
        daemon.stalls.add("/json")
        told.set()
    assert codes == [1]
    assert "cannot stop the container" in outside.said[-1]


async def test_a_stop_while_it_waits(follower, daemon):
    waiting, told = replace(follower, patience=replace(QUICK, owner=60.0)), asyncio.Event()
    async with asyncio.timeout(10.0), asyncio.TaskGroup() as group:
        run = group.create_task(waiting.run(told))
        await until(lambda: daemon.asked)
        told.set()
    assert run.result() == 0


async def test_the_code_that_systemd_takes_for_hopeless_is_ours_alone(daemon, follower, outside):
    daemon.add()
    async with followed(follower, outside) as (codes, _):
        daemon.end("vllm", 78)
    assert codes == [1]
