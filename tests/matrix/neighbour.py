"""Users whom no load balancer sends: at the engine's own port, or at the struck host's own hostname.

Each is a thread, so that its request goes on while the fault strikes, is watched and heals.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.traffic_judge import Kind, Seen, parsed

LAN = "localhost"  # the Host header of somebody at the engine's own port


def stream(tokens: int, bound: float = 90.0) -> Kind:
    return Kind("stream", "/v1/chat/completions", True, tokens, bound)


def plain(tokens: int, bound: float = 90.0) -> Kind:
    return Kind("plain", "/v1/completions", False, tokens, bound)


@dataclass
class User:
    """One request to `port` of this machine. `cause`: why it failed, "" when it is whole; `ended` in seconds
    of time.monotonic, None while it is under way. `exact`: every token is asked for and counted."""

    kind: Kind
    port: int
    host: str = LAN
    exact: bool = False
    cause: str = ""
    status: int = 0
    ended: float | None = None
    seen: Seen = field(default_factory=Seen)

    def ask(self) -> "User":
        """Asks, and returns at once."""
        threading.Thread(target=self._run, daemon=True).start()
        return self

    @property
    def problem(self) -> str:
        if self.ended is None:
            return f"a {self.kind.name} is still without its end"
        return f"a {self.kind.name} of {self.kind.tokens} tokens failed: {self.cause}" if self.cause else ""

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.kind.bound)
        headers = {"Host": self.host, "Content-Type": "application/json"}
        try:
            body = json.dumps(self.kind.body(PUBLIC_NAME, self.exact))
            connection.request("POST", self.kind.path, body, headers)
            self.cause = self._read(connection.getresponse())
        except (OSError, HTTPException) as error:
            self.cause = f"the connection broke: {error!r}"
        finally:
            connection.close()
            self.ended = time.monotonic()

    def _read(self, answer: HTTPResponse) -> str:
        self.status = answer.status
        if answer.status != 200:
            return f"status {answer.status}"
        if not self.kind.stream:
            self.seen.take(parsed(answer.read()))
            return self.seen.cause(self.kind, self.exact)
        for line in answer:
            data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
            if data == b"[DONE]":
                self.seen.done = True
            elif data:
                self.seen.take(parsed(data))
        return self.seen.cause(self.kind, self.exact)


@dataclass
class Askers:
    """`count` users who ask the same over and over until `end`; what statuses they got, 0 for none."""

    port: int
    host: str
    path: str
    bodies: Callable[[int], dict[str, Any]]  # of the so manieth question
    count: int = 6
    statuses: Counter[int] = field(default_factory=Counter)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def ask(self) -> "Askers":
        self._threads = [
            threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(self.count)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def end(self) -> None:
        """Returns once nobody asks any more; an answer that hangs is waited for 30 s at most."""
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, number: int) -> None:
        while not self._over.is_set():
            self.statuses[self._once(self.bodies(number))] += 1
            number += 1
            self._over.wait(0.05)  # who is refused at once does not ask again at once

    def _once(self, body: dict[str, Any]) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": self.host, "Content-Type": "application/json"}
        try:
            connection.request("POST", self.path, json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()
        return answer.status
