"""The package goes: adopted containers are let go of, their policy is docker's again, the rest stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.fake_docker import FakeDocker, fake_docker

from inferagent.adapters.docker.daemon import Docker
from inferagent.programs.setup.adopt_steps import EnableStep, PolicyStep, enabled
from inferagent.programs.setup.leaving import main
from inferagent.programs.setup.record import POINTER, Record

UNIT = "inferagent-container@vllm.service"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as made:
        made.add(policy="unless-stopped")
        yield made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / POINTER).write_text(f"{tmp_path / 'state'}\n")
    return tmp_path / "config"


def adopted(tmp_path: Path, daemon: FakeDocker) -> Record:
    root, docker = tmp_path / "root", Docker(daemon.socket, answers=0.5)
    units = root / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    text = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
    (units / "inferagent-container@.service").write_text(text)
    record = Record(tmp_path / "state")
    record.open({})
    for step in (PolicyStep(docker, "vllm"), EnableStep(docker, root, UNIT, made=False)):
        number = record.begin(step.name, step.intent())
        record.done(number, step.apply())
    record.begin("file", {"kind": "file", "path": str(tmp_path / "config.toml")})
    return record


def test_containers_are_given_back_and_nothing_else(tmp_path: Path, daemon: FakeDocker, config: Path) -> None:
    record = adopted(tmp_path, daemon)
    assert daemon.containers["vllm"].policy == "no"
    assert main([str(config)]) == 0
    assert daemon.containers["vllm"].policy == "unless-stopped"
    assert not enabled(tmp_path / "root", UNIT)
    assert [entry.undone for entry in record.entries()] == [True, True, False]


def test_a_docker_that_is_away_leaves_it_to_a_person(
    tmp_path: Path, daemon: FakeDocker, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adopted(tmp_path, daemon)
    daemon.socket.unlink()
    assert main([str(config)]) == 1
    assert "no docker daemon listens" in capsys.readouterr().err


def test_a_host_that_was_never_set_up(config: Path) -> None:
    assert main([str(config)]) == 0
