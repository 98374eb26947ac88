import os
import signal

import pytest
from tests.contract.units_bench import running, until

from inferagent.adapters.gpu.leave import LOCK, hold_lock
from inferagent.ports import PortError
from inferagent.programs.gpu_probe_starter import ensure


def started_pid(run):
    return int((run / LOCK).read_text())


async def test_a_probe_is_started_once_and_is_nobodys_child_to_wait_for(tmp_path):
    lock = hold_lock(tmp_path)
    assert not ensure(tmp_path)
    os.close(lock)
    assert ensure(tmp_path)
    pid = started_pid(tmp_path)
    assert os.getsid(pid) == pid
    await until(lambda: not running(pid), "its end: this host has no GPU, or its driver is asked to leave it")
    assert not ensure(tmp_path)


async def test_one_that_ended_is_started_again_after_a_pause(tmp_path):
    assert ensure(tmp_path, pause=0.05)
    first = started_pid(tmp_path)
    os.kill(first, signal.SIGKILL)
    await until(lambda: not running(first), "its end")
    (tmp_path / "gpu.json").unlink(missing_ok=True)
    await until(lambda: ensure(tmp_path, pause=0.05), "the next start")
    second = started_pid(tmp_path)
    assert second != first
    await until(lambda: not running(second), "its end")


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PortError, match="cannot start the GPU probe"):
        ensure(tmp_path / "file" / "run")
