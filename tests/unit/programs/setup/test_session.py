"""A conversation with a small HTTP server that says what it is told to."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from inferagent.ports import PortError
from inferagent.programs.setup.session import Session, Where

THING = {"id": "1", "name": "mine"}


class Script(ThreadingHTTPServer):
    """Answers in their order, (status, result) each; the last one again and again."""

    daemon_threads = True
    answers: list[tuple[int, Any]]
    seen: list[tuple[str, str, str]]


class Handler(BaseHTTPRequestHandler):
    server: Script

    def log_message(self, *_args: Any) -> None:
        """Quiet."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.command, self.path, self.headers["Authorization"]))
        answers = self.server.answers
        status, result = answers.pop(0) if len(answers) > 1 else answers[0]
        body = {"success": status < 400, "errors": [], "messages": [], "result": result}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do_PATCH = _answer  # noqa: N815


@pytest.fixture
def server() -> Iterator[Script]:
    found = Script(("127.0.0.1", 0), Handler)
    found.answers, found.seen = [], []
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def session(server: Script) -> Iterator[Session]:
    with Session(f"http://127.0.0.1:{server.server_port}/v4", "secret", deadline=2.0) as found:
        yield found


def test_find_compares_every_field(server: Script, session: Session) -> None:
    server.answers = [(200, [{"id": "0", "name": "other"}, THING, "odd"])]
    assert session.find("it", Where("/things", {"name": "mine"}, {"name": "mine"})) == THING
    assert session.find("it", Where("/things", {"name": "mine", "id": "2"})) is None
    assert server.seen[0] == ("GET", "/v4/things?name=mine&page=1&per_page=50", "Bearer secret")


def test_a_creation_whose_answer_is_lost_is_looked_for(server: Script, session: Session) -> None:
    server.answers = [(504, None), (200, [THING])]
    assert session.create("it", Where("/things", {"name": "mine"}), {}) == THING
    assert [method for method, _, _ in server.seen] == ["POST", "GET"]


def test_a_creation_that_did_not_happen_is_tried_again(server: Script, session: Session) -> None:
    server.answers = [(504, None), (200, []), (200, THING)]
    assert session.create("it", Where("/things", {"name": "mine"}), {}) == THING
    assert [method for method, _, _ in server.seen] == ["POST", "GET", "POST"]


def test_a_creation_is_tried_three_times(server: Script, session: Session) -> None:
    server.answers = [(504, None), (200, []), (504, None), (200, []), (504, None), (200, [])]
    with pytest.raises(PortError, match="cannot make it"):
        session.create("it", Where("/things", {"name": "mine"}), {})
    assert [method for method, _, _ in server.seen].count("POST") == 3


def test_a_refused_creation_is_not(server: Script, session: Session) -> None:
    server.answers = [(400, None)]
    with pytest.raises(PortError) as caught:
        session.create("it", Where("/things", {"name": "mine"}), {})
    assert caught.value.refused
    assert len(server.seen) == 1


def test_deleting_what_is_gone_succeeds(server: Script, session: Session) -> None:
    server.answers = [(404, None), (409, None)]
    session.delete("it", "/things/1")
    with pytest.raises(PortError, match="cannot delete it"):
        session.delete("it", "/things/1")


def test_a_change_answers_with_an_object(server: Script, session: Session) -> None:
    server.answers = [(200, THING), (200, ["odd"])]
    assert session.change("change it", "PATCH", "/things/1", {"name": "mine"}) == THING
    with pytest.raises(PortError, match="no object"):
        session.change("change it", "PATCH", "/things/1", {})
