"""The sockets' files: who may open them, what is replaced and what left alone, what a stranger is told."""

import grp
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferagent.runtime.acl import groups
from inferagent.runtime.lock import ControlError
from inferagent.runtime.sockets import Access, may_cure, open_acting, open_reading, open_socket, remove

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="giving a file to another group needs root")
SOME = grp.getgrgid(2).gr_name  # any group but our own


@pytest.fixture
def run() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has at most 107 bytes
        Path(folder).chmod(0o755)
        yield Path(folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_without_groups_readers_are_the_folder_s_and_nobody_else_acts(run: Path) -> None:
    troubles: dict[str, str] = {}
    with (
        open_reading(run / "control.sock", Access(), troubles)[0],
        open_acting(run / "operator.sock", Access(), troubles)[0],
    ):
        assert mode(run / "control.sock") == 0o660
        assert (run / "control.sock").stat().st_gid == run.stat().st_gid
        assert mode(run / "operator.sock") == 0o600
    assert troubles == {}


@ROOT
def test_a_group_that_is_named_is_let_in(run: Path) -> None:
    troubles: dict[str, str] = {}
    with (
        open_reading(run / "control.sock", Access(SOME, SOME), troubles)[0],
        open_acting(run / "operator.sock", Access(SOME, SOME), troubles)[0],
    ):
        for name in ("control.sock", "operator.sock"):
            assert (mode(run / name), groups(run / name)) == (0o660, [2])
        assert may_cure(run / "operator.sock").startswith(f"run it with sudo, or join the group {SOME}: ")
    assert set(troubles.values()) == {""}


@ROOT
def test_readers_without_a_name_are_the_group_of_the_folder(run: Path) -> None:
    os.chown(run, -1, 2)
    with open_reading(run / "control.sock", Access(), {})[0]:
        assert groups(run / "control.sock") == [2]


def test_a_group_that_does_not_exist_lets_nobody_in_and_is_a_trouble(run: Path) -> None:
    troubles: dict[str, str] = {}
    access = Access(operators="no-such-group")
    with open_acting(run / "operator.sock", access, troubles)[0]:
        assert mode(run / "operator.sock") == 0o600
    (said,) = troubles.values()
    assert "there is no such group: sudo groupadd no-such-group" in said


AS_NOBODY = f"""
import os, sys
from pathlib import Path
from inferagent.runtime.acl import groups
from inferagent.runtime.sockets import Access, open_acting
os.setgroups([]); os.setgid(65534); os.setuid(65534)
troubles = {{}}
path = Path(sys.argv[1]) / "operator.sock"
open_acting(path, Access(operators={SOME!r}), troubles)
print(groups(path), *troubles.values())
"""


@ROOT
def test_a_group_that_the_agent_is_not_in_is_let_in_and_no_other(run: Path) -> None:
    os.chown(run, 65534, 65534)
    said = subprocess.run([sys.executable, "-c", AS_NOBODY, str(run)], capture_output=True, text=True)
    assert said.stdout.strip() == "[2]", said


@ROOT
@pytest.mark.parametrize(("gid", "may"), [(2, True), (3, False)])
def test_the_kernel_lets_in_that_group_only(run: Path, gid: int, may: bool) -> None:
    knock = "import os, socket, sys; os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(65534); "
    knock += "socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    with open_acting(run / "operator.sock", Access(operators=SOME), {})[0]:
        argv = [sys.executable, "-c", knock, str(run / "operator.sock"), str(gid)]
        said = subprocess.run(argv, capture_output=True, text=True)
    assert (said.returncode == 0) is may, said
    assert may or "PermissionError" in said.stderr


STRANGER = """
import os, sys
from pathlib import Path
from inferagent.cli.client import UnreachableError, ask
import inferagent.runtime.sockets  # as nobody, these files may be out of reach
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    ask(Path(sys.argv[1]), "POST", "/v1/drain", {})
except UnreachableError as error:
    print(error.forbidden, error, error.cure, sep="|")
"""


@ROOT
@pytest.mark.parametrize(
    ("access", "cure"),
    [
        (Access(), "run it with sudo, or name a group that may: operators under [agent] in config.toml"),
        (
            Access(operators=SOME),
            f"run it with sudo, or join the group {SOME}: sudo usermod -aG {SOME} $USER",
        ),
    ],
)
def test_a_stranger_is_refused_by_the_kernel_and_told_what_to_do(
    run: Path, access: Access, cure: str
) -> None:
    with open_acting(run / "operator.sock", access, {})[0]:
        argv = [sys.executable, "-c", STRANGER, str(run / "operator.sock")]
        said = subprocess.run(argv, capture_output=True, text=True)
    assert said.stdout.startswith("True|cannot reach the agent at "), said
    assert "permission denied" in said.stdout
    assert cure in said.stdout


def test_a_dead_agent_s_socket_is_replaced_and_a_living_one_s_is_left_alone(run: Path) -> None:
    path = run / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with open_socket(path)[0]:
        with pytest.raises(ControlError, match=f"cannot start: another agent answers at {path}") as caught:
            open_socket(path)
        assert caught.value.cure == "inferagent status"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            assert client.getpeername() == str(path)


def test_a_file_that_is_no_socket_is_left_alone(run: Path) -> None:
    (run / "control.sock").write_text("precious")
    with pytest.raises(ControlError, match="is no socket"):
        open_socket(run / "control.sock")
    assert (run / "control.sock").read_text() == "precious"


def test_a_path_that_is_too_long_is_an_error(run: Path) -> None:
    with pytest.raises(ControlError, match="cannot start: cannot listen at") as caught:
        open_socket(run / ("x" * 120))
    assert "name another folder" in caught.value.cure, "no agent is there to be asked for its status"


def test_a_successor_s_socket_is_not_removed(run: Path) -> None:
    path = run / "control.sock"
    listener, inode = open_socket(path)
    path.unlink()
    with listener, open_socket(path)[0]:
        remove(path, inode)
        assert path.is_socket()
    remove(path, path.stat().st_ino)
    assert not path.exists()


def test_of_a_socket_that_is_not_there_nobody_knows_who_may(run: Path) -> None:
    assert "readers under [agent]" in may_cure(run / "control.sock")
