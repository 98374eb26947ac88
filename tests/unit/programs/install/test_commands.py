"""Programs that end well, ill, late or not at all."""

import time
from pathlib import Path

import pytest
from tests.support.install_host import InstallHost

from inferagent.ports import PortError


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    return InstallHost(tmp_path / "host")


def test_what_it_says_and_the_environment_it_gets(host):
    path = str(host.program("x", "echo $LC_ALL $PATH $MORE; echo aside >&2"))
    assert host.tools().commands.run((path,), 5.0, {"MORE": "y"}) == f"C.UTF-8 {host.bin} y\n"


def test_its_last_words_where_it_fails(host):
    path = str(
        host.program("x", "echo first >&2; echo https://user:secret@h/x is not there >&2; echo; exit 3")
    )
    with pytest.raises(PortError) as caught:
        host.tools().commands.answer((path, "http://user:secret@h"))
    see = f"see what it says: {path} http://…@h"
    assert str(caught.value) == f"cannot finish x http://…@h: https://…@h/x is not there → {see}"
    path = str(host.program("z", "echo W: bad key; echo more; echo E: all is lost; exit 1"))
    with pytest.raises(PortError, match="cannot finish z run: W: bad key → "):
        host.tools().commands.answer((path, "-x", "run"))
    path = str(host.program("y", "exit 3"))
    with pytest.raises(PortError, match="it ended with 3"):
        host.tools().commands.answer((path,))
    assert host.tools().commands.answer_or_nothing((path,)) == ""


@pytest.mark.parametrize("whole", [True, False])
def test_ctrl_c_waits_for_what_must_not_be_left_half_done(host, whole):
    path = str(host.program("x", 'kill -INT $PPID; /bin/sleep 1; echo all of it > "$here/done"'))
    with pytest.raises(KeyboardInterrupt):
        host.tools().commands.run((path,), 20.0, whole=whole)
    assert (host.bin / "done").exists() is whole


def test_what_went_wrong_is_told_before_ctrl_c_counts(host):
    path = str(host.program("x", "kill -INT $PPID; echo E: dpkg broke >&2; exit 100"))
    with pytest.raises(PortError, match="E: dpkg broke"):
        host.tools().commands.run((path,), 20.0, whole=True)


def test_a_program_that_hangs_is_ended_with_all_that_it_started(host):
    path = str(host.program("x", '/bin/sleep 60 & echo $! > "$here/pid"; wait'))
    with pytest.raises(PortError, match=r"within 0\.4 s"):
        host.tools().commands.run((path,), 0.4)
    child = int((host.bin / "pid").read_text())
    end = time.monotonic() + 5
    while not _gone(child) and time.monotonic() < end:
        time.sleep(0.01)
    assert _gone(child)


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_program_that_is_missing(host):
    commands = host.tools().commands
    with pytest.raises(PortError, match="cannot find nothing → a cure") as caught:
        commands.there("nothing", "a cure")
    assert caught.value.refused
    with pytest.raises(PortError, match="cannot start"):
        commands.answer((str(host.bin / "nothing"),))


def test_a_program_of_another_architecture(host):
    path = host.bin / "x"
    path.write_bytes(b"\x7fELF no program of this machine")
    path.chmod(0o755)
    with pytest.raises(PortError, match="Exec format error"):
        host.tools().commands.answer((str(path),))
