"""An engine that runs here already: Ollama's unit, or a container by its name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.fake_docker import FakeDocker, fake_docker

from inferagent.adapters.docker.container import LABEL, Container
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.wire import DaemonError, Trouble
from inferagent.model.desired import EngineKind
from inferagent.programs.setup.adopt_engine import Here, engine, notes
from inferagent.programs.setup.refusal import RefusedError
from inferagent.programs.setup.request import EngineRequest, SetupRequest

IMAGE = "vllm/vllm-openai@sha256:" + "a" * 64


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, daemon: FakeDocker) -> Here:
    return Here(tmp_path, Docker(daemon.socket, answers=0.5), systemd=False)


@pytest.fixture
def bare(plain: SetupRequest) -> SetupRequest:
    """Nobody said who runs the engine."""
    return replace(plain, engine=replace(plain.engine, command=()))


def asked(request: SetupRequest, **more: object) -> SetupRequest:
    return replace(request, engine=replace(request.engine, **more))


def test_a_container_of_the_engines_name_is_found(bare: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    daemon.add("vllm")
    own, found = engine(bare, here)
    assert found is not None
    assert (own.unit, own.url) == ("inferagent-container@vllm.service", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("network", "ports", "args", "url"),
    [
        ("host", {}, ["--port", "9000"], "http://127.0.0.1:9000"),
        ("host", {}, ["--port=9001"], "http://127.0.0.1:9001"),
        ("bridge", {"8000/tcp": [{"HostIp": "", "HostPort": "8080"}]}, [], "http://127.0.0.1:8080"),
        ("bridge", {"8000/tcp": [{"HostIp": "::1", "HostPort": "80"}]}, [], "http://[::1]:80"),
    ],
)
def test_where_it_listens_is_told_by_the_container(
    bare: SetupRequest, here: Here, daemon: FakeDocker, network: str, ports: object, args: object, url: str
) -> None:
    daemon.add("mine", network=network, ports=ports, args=args)
    assert engine(asked(bare, container="mine"), here)[0].url == url
    given = asked(bare, container="mine", url="http://127.0.0.1:7000")
    assert engine(given, here)[0].url == "http://127.0.0.1:7000", "a person knows better"


def test_one_that_nobody_reaches(bare: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    daemon.add(network="bridge")
    with pytest.raises(RefusedError, match="it publishes no port"):
        engine(bare, here)


def test_one_that_docker_removes(bare: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    daemon.add(auto_remove=True)
    with pytest.raises(RefusedError, match="make it without --rm"):
        engine(bare, here)


@pytest.mark.parametrize(("name", "words"), [("gone", "there is none"), ("../x", "no name of a container")])
def test_one_that_is_not_there(bare: SetupRequest, here: Here, name: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        engine(asked(bare, container=name), here)


def test_a_host_without_docker_has_none(bare: SetupRequest, tmp_path: Path) -> None:
    assert engine(bare, Here(tmp_path, Docker(tmp_path / "none"), systemd=False)) == (bare.engine, None)


def test_a_daemon_that_lets_nobody_look_is_said(bare: SetupRequest, here: Here) -> None:
    class Shut(Docker):
        async def inspect(self, name: str) -> Container | None:
            raise DaemonError("cannot ask docker: Permission denied", Trouble.DENIED)

    with pytest.raises(RefusedError, match=r"--engine-command.* or sudo, to look into docker"):
        engine(bare, replace(here, docker=Shut()))


def test_a_host_without_systemd_follows_none(bare: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    daemon.add("vllm")
    without = replace(here, systemd=True)
    assert engine(bare, without) == (bare.engine, None)
    with pytest.raises(RefusedError, match="systemd does not run this host → give --engine-command"):
        engine(asked(bare, container="vllm"), without)


def test_what_was_asked_for_is_not_replaced(plain: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    daemon.add("vllm")
    assert engine(plain, here) == (plain.engine, None)
    named = asked(plain, command=(), unit="mine.service")
    assert engine(named, here) == (named.engine, None)


def test_one_from_an_image(bare: SetupRequest, here: Here, daemon: FakeDocker) -> None:
    wanted = asked(bare, image=IMAGE)
    with pytest.raises(RefusedError, match=f"sudo docker pull {IMAGE}"):
        engine(wanted, here)
    daemon.images.add(IMAGE)
    own, found = engine(wanted, here)
    assert (own.unit, found) == ("inferagent-container@inferagent-vllm.service", None)
    daemon.add("inferagent-vllm", labels={LABEL: "x"})
    assert engine(wanted, here)[1] is not None
    daemon.add("mine")
    with pytest.raises(RefusedError, match="not ours"):
        engine(asked(wanted, container="mine"), here)


@pytest.mark.parametrize(
    ("listens", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        (":8081", "http://127.0.0.1:8081"),
        ("http://127.0.0.2:80", "http://127.0.0.2:80"),
        ("[::1]:90", "http://[::1]:90"),
        ("x:notaport", "http://127.0.0.1:11434"),
    ],
)
def test_ollamas_unit_with_its_override(plain: SetupRequest, here: Here, listens: str, url: str) -> None:
    etc = here.root / "etc/systemd/system"
    (etc / "ollama.service.d").mkdir(parents=True)
    (etc / "ollama.service").write_text("[Service]\nExecStart=/usr/local/bin/ollama serve\n")
    (etc / "ollama.service.d/override.conf").write_text(f'[Service]\nEnvironment="OLLAMA_HOST={listens}"\n')
    own = EngineRequest(EngineKind.OLLAMA, "http://127.0.0.1:11434", (("chat", "llama3:8b"),))
    found, container = engine(replace(plain, engine=own), here)
    assert (found.unit, found.url, container) == ("ollama.service", url, None)
    said = notes(found, None, here)
    assert any("answers the whole network" in note for note in said) is listens.startswith("0.0.0.0")
    assert "ollama pull llama3:8b && ollama cp llama3:8b chat, unless" in said[-1]


def test_a_port_that_the_whole_network_reaches_is_said(
    bare: SetupRequest, here: Here, daemon: FakeDocker
) -> None:
    daemon.add(network="bridge", ports={"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8000"}]})
    own, found = engine(bare, here)
    assert "-p 127.0.0.1:8000:8000" in "\n".join(notes(own, found, here))
