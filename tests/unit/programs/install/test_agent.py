"""An agent that answers, refuses, falls silent, talks nonsense, or is not there."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.agent_door import Door, opened

from inferagent.ports import PortError
from inferagent.programs.install.agent import Agent


@pytest.fixture
def door() -> Iterator[Door]:
    with tempfile.TemporaryDirectory() as folder, opened(Door(Path(folder) / "run")) as made:
        yield made


def agent(run: Path, tell: list[str] | None = None) -> Agent:
    return Agent(run, (tell if tell is not None else []).append, answer=0.3, pace=0.01)


def test_each_sentence_is_told_once(door):
    told: list[str] = []
    asked = agent(door.run, told)
    asked.order("/v1/drain", {"reason": "x", "stop_engine": False, "last": False})
    assert asked.until(lambda document: document["phase"] == "out", 3.0)
    assert told == ["  I am draining", "  I am out"]


def test_a_refusal_in_its_own_words(door):
    door.refuses = True
    with pytest.raises(PortError, match="cannot drain: no other host can answer → inferagent drain --last"):
        agent(door.run).order("/v1/drain", {"reason": "x", "stop_engine": False, "last": False})


def test_nobody_there(tmp_path):
    assert agent(tmp_path).status() is None
    with pytest.raises(PortError, match="cannot ask the agent to resume"):
        agent(tmp_path).order("/v1/resume", {})


def test_a_socket_that_a_dead_agent_left(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "control.sock"))
    assert agent(tmp_path).status() is None


def test_silence(door):
    door.silent = True
    with pytest.raises(PortError, match="cannot ask the agent how it is: timed out"):
        agent(door.run).status()
    assert not agent(door.run).until(lambda _: True, 0.5)


@contextmanager
def saying(folder: Path, answer: bytes) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "control.sock"))
        listener.listen()
        listener.settimeout(5.0)

        def answers() -> None:
            with listener.accept()[0] as peer:
                peer.recv(65536)
                peer.sendall(answer)

        thread = threading.Thread(target=answers, daemon=True)
        thread.start()
        yield
        thread.join(5.0)


@pytest.mark.parametrize("answer", [b"hello", b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n[]"])
def test_nonsense(tmp_path, answer):
    with saying(tmp_path, answer), pytest.raises(PortError, match="cannot ask the agent how it is"):
        agent(tmp_path).status()
