"""One agent a host: the lock, what it says of its holder, and what it outlives."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from inferagent.runtime.lock import LOCK, ControlError, only_agent


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_a_second_agent_is_refused_with_the_first_one_s_pid(run: Path) -> None:
    with only_agent(run):
        said = f"cannot start: another agent (pid {os.getpid()}) holds {run / LOCK}"
        with pytest.raises(ControlError, match=re.escape(said)) as caught, only_agent(run):
            pass
        assert caught.value.cure == "inferagent status"
    with only_agent(run):
        assert (run / LOCK).exists(), "the lock's file outlives the agent, the lock does not"


@pytest.mark.parametrize("left", [b"", b"4194305\n", b"x" * 30])
def test_what_a_dead_agent_left_in_the_lock_is_not_taken_for_the_living_one(run: Path, left: bytes) -> None:
    with only_agent(run):
        (run / LOCK).write_bytes(left)
        with pytest.raises(ControlError, match="cannot start: another agent holds "), only_agent(run):
            pass


async def test_no_child_of_the_agent_keeps_its_lock(run: Path) -> None:
    with only_agent(run):
        child = await asyncio.create_subprocess_exec("sleep", "30", close_fds=False)
    try:
        with only_agent(run):
            assert child.returncode is None
    finally:
        child.kill()
        await child.wait()


def test_a_lock_that_cannot_be_made_is_an_error(run: Path) -> None:
    (run / LOCK).mkdir(parents=True)
    with pytest.raises(ControlError, match="cannot start: cannot lock") as caught, only_agent(run):
        pass
    assert "name another folder" in caught.value.cure


CONTENDER = """
import sys, time
from pathlib import Path
from inferagent.runtime.lock import ControlError, only_agent
from inferagent.runtime.sockets import open_socket
folder, rounds, begin = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
won = []
for number in range(rounds):
    run = folder / str(number)
    time.sleep(max(0.0, begin + number * 0.1 - time.time()))
    try:
        with only_agent(run):
            open_socket(run / "control.sock")
            won.append(number)
            time.sleep(0.05)
    except ControlError:
        pass
print(*won)
"""


def test_of_agents_that_start_at_once_on_a_dead_one_s_socket_one_wins() -> None:
    rounds, contenders = 20, 4
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds):
            folder = Path(name) / str(number)
            folder.mkdir()
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(folder / "control.sock"))
        argv = [sys.executable, "-c", CONTENDER, name, str(rounds), str(time.time() + 1.5)]
        all_of_them = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(contenders)]
        won = [one.communicate(timeout=30)[0].split() for one in all_of_them]
    assert sorted(int(number) for numbers in won for number in numbers) == list(range(rounds))
