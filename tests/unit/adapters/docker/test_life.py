"""The end of a life: by the kernel where it knows the process, else by a daemon that may hang."""

import asyncio
import signal
import subprocess

import pytest
from tests.support.fake_docker import until

from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.life import Life, seen


@pytest.fixture
def sleeper():
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def proc(tmp_path, daemon, sleeper):
    """Where the container's own process says whose it is."""
    made = daemon.add(process=sleeper, pid=sleeper.pid)
    folder = tmp_path / "proc" / str(sleeper.pid)
    folder.mkdir(parents=True)
    (folder / "cgroup").write_text(f"0::/docker/{made.id}\n")
    return tmp_path / "proc"


async def test_the_kernel_tells_while_the_daemon_hangs(daemon, docker, proc, sleeper):
    container = await docker.inspect("vllm")
    daemon.stalls |= {"/wait", "/json"}
    with seen(docker, container, proc) as life:
        assert life.seen_by_kernel
        async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
            ended = group.create_task(life.ended(pytest.fail))
            await asyncio.sleep(0)
            assert not ended.done()
            assert life.signal(signal.SIGKILL)
    assert sleeper.wait(5.0) == -signal.SIGKILL
    with seen(docker, container, proc) as again:
        assert not again.seen_by_kernel or again.signal(signal.SIGKILL)


async def test_a_process_of_somebody_else_is_not_touched(daemon, docker, sleeper):
    daemon.add(process=sleeper, pid=sleeper.pid)
    with seen(docker, await docker.inspect("vllm")) as life:
        assert not life.seen_by_kernel
        assert not life.signal(signal.SIGKILL)
    assert sleeper.poll() is None


@pytest.mark.parametrize("how", ["exited", "restarted", "removed"])
async def test_the_daemon_tells_where_the_kernel_cannot(daemon, docker, how):
    made = daemon.add()
    life = Life(docker, await docker.inspect("vllm"), None, pause=0.01)
    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        group.create_task(life.ended(pytest.fail))
        await until(lambda: any(path.endswith("/wait") for _, path, _ in daemon.asked))
        if how == "exited":
            daemon.end("vllm", 3)
        elif how == "restarted":
            made.lives += 1
            daemon.stalls.add("/wait")
            daemon.over.set()
        else:
            del daemon.containers["vllm"]
    assert "/wait" in daemon.asked[-2][1]


async def test_a_daemon_that_is_away_is_told_once(daemon, tmp_path):
    daemon.add()
    container = await Docker(daemon.socket).inspect("vllm")
    away, said = tmp_path / "away.sock", []
    life = Life(Docker(away), container, None, pause=0.01)
    async with asyncio.timeout(5.0), asyncio.TaskGroup() as group:
        group.create_task(life.ended(said.append))
        await until(lambda: said)
        await asyncio.sleep(0.05)  # several more tries
        assert len(said) == 1
        daemon.end("vllm")
        away.symlink_to(daemon.socket)
    assert "no docker daemon listens" in said[0]
