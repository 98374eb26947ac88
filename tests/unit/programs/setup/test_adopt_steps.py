"""The steps of an adoption and their undoing, on a root of their own where systemd does not run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.fake_docker import FakeDocker, fake_docker

from inferagent.adapters.docker.container import LABEL
from inferagent.adapters.docker.daemon import Docker
from inferagent.ports import PortError
from inferagent.programs.setup.adopt_steps import DropInStep, EnableStep, PolicyStep, enabled, undo_step
from inferagent.programs.setup.files import FileStep

UNIT = "inferagent-container@vllm.service"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as made:
        yield made


@pytest.fixture
def docker(daemon: FakeDocker) -> Docker:
    return Docker(daemon.socket, answers=0.5)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root/usr/lib/systemd/system"
    folder.mkdir(parents=True)
    install = "[Install]\nWantedBy=multi-user.target\n"
    (folder / "inferagent-container@.service").write_text(f"[Service]\nExecStart=/bin/true\n{install}")
    return tmp_path / "root"


def test_dockers_policy_is_taken_and_given_back(daemon: FakeDocker, docker: Docker) -> None:
    daemon.add(policy="unless-stopped")
    step = PolicyStep(docker, "vllm")
    intent = step.intent()
    result = step.apply()
    assert daemon.containers["vllm"].policy == "no"
    assert "gave the restarts" in undo_step(intent, result)
    assert daemon.containers["vllm"].policy == "unless-stopped"


def test_an_apply_that_was_cut_off_is_undone_as_well(daemon: FakeDocker, docker: Docker) -> None:
    daemon.add(policy="always")
    intent = PolicyStep(docker, "vllm").intent()
    assert "somebody set it to always" in undo_step(intent, {})
    daemon.containers["vllm"].policy = "no"
    undo_step(intent, {})
    assert daemon.containers["vllm"].policy == "always"


def test_what_is_gone_is_left(daemon: FakeDocker, docker: Docker) -> None:
    daemon.add(policy="always")
    intent = PolicyStep(docker, "vllm").intent()
    daemon.containers.clear()
    assert "the container is gone" in undo_step(intent, {})
    with pytest.raises(PortError, match="it is gone"):
        PolicyStep(docker, "vllm").intent()


def test_a_daemon_that_hangs_is_an_error_and_no_silence(daemon: FakeDocker, docker: Docker) -> None:
    daemon.add(policy="always")
    daemon.stalls.add("/update")
    step = PolicyStep(docker, "vllm")
    step.intent()
    with pytest.raises(PortError, match="does not answer"):
        step.apply()


def test_the_unit_is_enabled_and_disabled(root: Path, daemon: FakeDocker, docker: Docker) -> None:
    daemon.add()
    step = EnableStep(docker, root, UNIT, made=False)
    intent = step.intent()
    assert not enabled(root, UNIT)
    step.apply()
    assert enabled(root, UNIT)
    assert "the container vllm goes on" in undo_step(intent, {})
    assert not enabled(root, UNIT)
    assert daemon.containers["vllm"].status == "running"


def test_a_container_of_ours_goes_with_it(root: Path, daemon: FakeDocker, docker: Docker) -> None:
    daemon.add(status="exited", labels={LABEL: "x"})
    step = EnableStep(docker, root, UNIT, made=True)
    intent = step.intent()
    step.apply()
    undo_step(intent, {})
    assert daemon.containers == {}


def test_a_unit_that_cannot_be_enabled_is_said(root: Path, docker: Docker) -> None:
    with pytest.raises(PortError, match=r"cannot enable nothing@x\.service"):
        EnableStep(docker, root, "nothing@x.service", made=False).apply()


def test_a_drop_in_comes_and_goes(root: Path) -> None:
    path = root / "etc/systemd/system/a.service.d/50-inferagent.conf"
    step = DropInStep(FileStep({}, path, lambda _: "[Service]\n", "write it"), root)
    intent = step.intent()
    result = step.apply()
    assert path.read_text() == "[Service]\n"
    undo_step(intent, result)
    assert not path.exists()
    assert not path.parent.exists()
