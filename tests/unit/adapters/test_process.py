import asyncio
import os
import signal
import stat
import time
from pathlib import Path

import pytest
from tests.contract.units_bench import running, until

from inferagent.adapters import process
from inferagent.ports import PortError


async def test_run_gives_code_and_output():
    done = await process.run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], deadline=5)
    assert done == process.Done(3, b"out\n", b"err\n")


async def test_run_past_its_deadline_is_killed_with_all_it_started(tmp_path):
    begun = time.monotonic()
    with pytest.raises(PortError, match=r"cannot finish .*sleep 77.* within 0.3 s"):
        await process.run(["/bin/sh", "-c", f"sleep 77 & echo $! > {tmp_path}/pid; wait"], deadline=0.3)
    assert time.monotonic() - begun < 20
    grandchild = int((tmp_path / "pid").read_text())
    await until(lambda: not running(grandchild), "the grandchild's end")


async def test_a_cancelled_run_leaves_nothing(tmp_path):
    task = asyncio.create_task(
        process.run(["/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 77"], deadline=60)
    )
    pid = tmp_path / "pid"
    await until(lambda: pid.exists() and pid.read_text().strip() != "", "its start")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not running(int(pid.read_text()))


async def test_a_program_that_is_not_there_is_said():
    with pytest.raises(PortError, match="cannot start /no/such: No such file or directory") as caught:
        await process.run(["/no/such"], deadline=1)
    assert caught.value.refused
    with pytest.raises(PortError, match="cannot start /no/such"):
        process.spawn(["/no/such"])


def test_what_is_ours_alone_is_not_handed_on(monkeypatch):
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "CREDENTIALS_DIRECTORY", "CF_API_TOKEN"]:
        monkeypatch.setenv(name, "x")
    for name in ["TUNNEL_TOKEN", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "INVOCATION_ID"]:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("HF_HOME", "/models")
    given = process.environment({"EXTRA": "1"})
    assert "x" not in given.values()
    assert (given["HF_HOME"], given["EXTRA"]) == ("/models", "1")
    assert "PATH" in given


async def test_spawn_is_a_session_of_its_own_with_a_log_and_is_reaped_once(tmp_path):
    pid = process.spawn(
        ["/bin/sh", "-c", "echo $X; cat; sleep 0.2; exit 7"], extra={"X": "hi"}, log=tmp_path / "log"
    )
    assert os.getsid(pid) == pid
    codes = []
    await until(lambda: codes.append(process.reap(pid)) or codes[-1] is not None, "its end")
    assert codes[-1] == 7
    assert process.reap(pid) is None
    assert (tmp_path / "log").read_text() == "hi\n"


async def test_the_working_folder_is_the_given_one(tmp_path):
    done = await process.run(["pwd"], deadline=5, cwd=tmp_path)
    assert done.out.decode().strip() == str(tmp_path)


async def test_a_signal_is_told_as_a_negative_code(tmp_path):
    pid = process.spawn(["sleep", "60"])
    os.kill(pid, signal.SIGKILL)
    codes = []
    await until(lambda: codes.append(process.reap(pid)) or codes[-1] is not None, "its end")
    assert codes[-1] == -9


def test_a_command_can_be_pasted():
    assert process.pasteable(["a b", "$c"], Path("/x y")) == "cd '/x y' && 'a b' '$c'"


async def test_spawned_handles_are_those_given_only(tmp_path):
    with (tmp_path / "kept").open("w") as kept, (tmp_path / "private").open("w"):
        command = ["ls", "-l", "/proc/self/fd"]
        pid = process.spawn(command, log=tmp_path / "log", pass_fds=(kept.fileno(),))
        await until(lambda: process.reap(pid) is not None, "its end")
    said = (tmp_path / "log").read_text()
    assert str(tmp_path / "kept") in said
    assert str(tmp_path / "private") not in said


async def test_a_log_is_for_its_owner_alone(tmp_path):
    """An engine's log may repeat what its users ask."""
    pid = process.spawn(["/bin/sh", "-c", "echo secret question"], log=tmp_path / "log")
    await until(lambda: process.reap(pid) is not None, "its end")
    assert (tmp_path / "log").read_text() == "secret question\n"
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
