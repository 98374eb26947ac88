"""What is offered of a part on a shelf, and what its program says of itself."""

from pathlib import Path

import pytest
from tests.support.install_host import InstallHost, says

from inferagent.ports import PortError
from inferagent.programs.install.shelved import Shelved


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    return InstallHost(tmp_path / "host")


def put(part: Shelved, version: str) -> Path:
    program = part.shelf.place(version) / "bin" / "x"
    program.parent.mkdir()
    program.write_bytes(says(version))
    program.chmod(0o755)
    part.shelf.complete(version)
    return program


def test_only_what_is_still_to_do_is_offered(host):
    part = Shelved(host.tools(), "x", ("x",))
    current = part.shelf.folder / "current"
    assert part.offer("1", ("fetch it",)).steps == ("fetch it", f"switch {current} to 1")
    put(part, "1")
    assert part.offer("1", ("fetch it",)).steps == (f"switch {current} to 1",)
    assert part.switch("1") == ()
    assert part.offer("1", ("fetch it",)).steps == ()
    assert part.offer("2", ()).steps == (f"switch {current} to 2", "keep 1 for --rollback")
    assert part.now == "1"


def test_a_program_has_to_say_its_version(host):
    part = Shelved(host.tools(), "x")
    program = put(part, "1.2.3")
    part.tried(program, "1.2.3")
    with pytest.raises(PortError, match=r"it says 'this is version 1\.2\.3', expected 1\.2\.4"):
        part.tried(program, "1.2.4")
