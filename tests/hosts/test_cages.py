"""Ending who is in a control group."""

import signal
import subprocess
from pathlib import Path

from tests.hosts.cages import kill
from tests.hosts.host import until


def test_who_is_in_it_is_ended_and_the_dead_do_not_count(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    (tmp_path / "cgroup.procs").write_text(f"{sleeper.pid}\n")
    assert not kill(tmp_path)
    assert sleeper.wait(10.0) == -signal.SIGKILL
    assert kill(tmp_path)


def test_one_that_nobody_buried_is_dead(tmp_path: Path) -> None:
    ended = subprocess.Popen(["/bin/sleep", "60"])
    ended.kill()
    (tmp_path / "cgroup.procs").write_text(f"{ended.pid}\n")
    until(lambda: kill(tmp_path), "the dead do not count")
    assert Path(f"/proc/{ended.pid}").exists()
    ended.wait(10.0)
