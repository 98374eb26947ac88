import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from inferagent.programs.shutdown_drain import USUAL, budget, drain, going_down, main

CONFIG = """
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["v"]
serves = { chat = "chat" }
[connector]
command = ["c"]
hostname = "a.example.com"
[membership]
kind = "pull"
[drain]
settle = "5s"
shutdown = "9s"
"""


def whole(link: socket.socket) -> str:
    """One request with its body."""
    file = link.makefile("rb")
    lines = list(iter(file.readline, b"\r\n"))
    lengths = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")]
    return (b"".join(lines) + file.read(sum(lengths))).decode()


class FakeAgent:
    """Answers both sockets, one request a connection; `phases` are told in turn, the last one for good."""

    def __init__(self, run: Path, phases: list[str], going: dict[str, object]) -> None:
        self.phases, self.going, self.slow = phases, going, False
        self.asked: list[str] = []
        self.sockets = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for sock, name in zip(self.sockets, ("operator.sock", "control.sock"), strict=True):
            sock.bind(str(run / name))
            sock.listen()
        self.threads = [threading.Thread(target=self._serve, args=(sock,)) for sock in self.sockets]

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with link:
                heard = whole(link)
                self.asked.append(heard)
                if self.slow and len(self.asked) == 2:
                    link.recv(1)  # says nothing until the other side gives up
                    continue
                said = self.going if heard.startswith("POST /v1/going ") else {"phase": self._phase()}
                body = json.dumps(said)
                link.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def _phase(self) -> str:
        return self.phases.pop(0) if len(self.phases) > 1 else self.phases[0]

    def close(self) -> None:
        for sock in self.sockets:
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self.threads:
            thread.join()


@contextmanager
def agent(run: Path, *phases: str, **going: object):
    fake = FakeAgent(run, list(phases), going or {"ok": True})
    for thread in fake.threads:
        thread.start()
    try:
        yield fake
    finally:
        fake.close()


def test_it_waits_until_the_host_is_out(tmp_path):
    with agent(tmp_path, "serving", "draining", "out") as fake:
        assert drain(tmp_path, 20.0) == "out"
    assert '{"seconds": 20.0}' in fake.asked[0]
    assert len(fake.asked) == 4


def test_one_answer_that_does_not_come_is_not_the_end(tmp_path):
    with agent(tmp_path, "draining", "out") as fake:
        fake.slow = True
        assert drain(tmp_path, 20.0) == "out"


def test_it_never_waits_longer_than_there_is(tmp_path):
    begun = time.monotonic()
    with agent(tmp_path, "draining"):
        assert drain(tmp_path, 0.6) == "not out"
    assert time.monotonic() - begun < 5.0


def test_an_agent_that_does_not_leave_is_not_waited_for(tmp_path):
    with agent(tmp_path, "serving", ok=False, message='the mode is "observe"') as fake:
        assert drain(tmp_path, 20.0) == 'did not leave: the mode is "observe"'
    assert len(fake.asked) == 1


def test_without_an_agent_the_host_goes_at_once(tmp_path):
    begun = time.monotonic()
    assert drain(tmp_path, 20.0).startswith("cannot ask the agent: ")
    assert time.monotonic() - begun < 15.0


@pytest.mark.parametrize("answer", ["nonsense", "[]"])
def test_an_answer_that_is_none_ends_the_wait(tmp_path, answer):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "operator.sock"))
    listener.listen()

    def serve() -> None:
        link, _ = listener.accept()
        with link:
            link.recv(65536)
            link.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n{answer}".encode())

    thread = threading.Thread(target=serve)
    thread.start()
    assert drain(tmp_path, 20.0).startswith("cannot ask the agent: ")
    thread.join()
    listener.close()


def test_how_long_there_is(tmp_path):
    assert budget(tmp_path) == (USUAL, True)  # not configured
    (tmp_path / "config.toml").write_text("nonsense")
    assert budget(tmp_path) == (USUAL, True)
    (tmp_path / "config.toml").write_text(CONFIG)
    assert budget(tmp_path) == (9.0, True)
    replica = CONFIG.replace("pull", "replica")
    (tmp_path / "config.toml").write_text(replica)
    assert budget(tmp_path) == (9.0, True)
    (tmp_path / "config.toml").write_text(replica.replace('command = ["c"]', 'unit = "cloudflared.service"'))
    assert budget(tmp_path) == (9.0, False)


def test_a_replica_leaves_by_the_end_of_its_connector(tmp_path):
    with agent(tmp_path, "serving") as fake:
        assert drain(tmp_path, 20.0, waits=False) == "left to the connector"
    assert len(fake.asked) == 1


def test_a_host_that_is_not_going_down_is_left_alone(tmp_path):
    assert not going_down()
    with agent(tmp_path, "serving") as fake:
        assert main(["--config", str(tmp_path)]) == 0
    assert fake.asked == []


def test_a_package_that_is_removed_has_the_host_leave_now(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "config.toml").write_text(f'{CONFIG}[agent]\nrun = "{run}"\n')
    with agent(run, "out") as fake:
        assert main(["--config", str(tmp_path), "--now"]) == 0
    assert fake.asked[0].startswith("POST /v1/going ")
