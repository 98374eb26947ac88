"""A server of releases on loopback that serves, stalls, cuts and lies as it is told, and what it has seen.

Each path has its bytes; `faults` are used up one a request of that path, in order.
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STALL = 30.0  # seconds, or until the server ends


@dataclass(frozen=True)
class Fault:
    """`after` so many bytes of the body it is cut, or falls silent. `extra`: added to Content-Length.
    `code`: answered instead. `other`: bytes sent instead. `piece`: where a 206 says it begins."""

    after: int | None = None
    silent: bool = False
    extra: int = 0
    code: int = 0
    other: bytes | None = None
    piece: int | None = None


@dataclass
class Releases:
    """`ranges` False: it knows of no Range. `sizes`: what HEAD says, where it is a lie.

    `asked`: method, path, Range of each request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    ranges: bool = True
    tags: bool = True
    sizes: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def ranges_of(self, path: str) -> list[str]:
        """Of each GET of that path, "" for the whole."""
        return [asked for method, name, asked in self.asked if (method, name) == ("GET", path)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who asked has hung up: that is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    releases: Releases

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _answer(self, *, body: bool) -> None:
        releases, asked = self.releases, self.headers.get("Range", "")
        releases.asked.append((self.command, self.path, asked))
        if self.path in releases.leads:
            self._head(302, 0, {"Location": releases.leads[self.path]})
            return
        queue = releases.faults.get(self.path, [])
        fault = queue.pop(0) if body and queue else Fault()
        content = releases.files.get(self.path)
        if content is None or fault.code:
            self._head(fault.code or 404, 0, {})
            return
        if not body and self.path in releases.sizes:
            self._head(200, releases.sizes[self.path], {})
            return
        self._send(content if fault.other is None else fault.other, asked, fault, body=body)

    def _send(self, content: bytes, asked: str, fault: Fault, *, body: bool) -> None:
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        tags = {"ETag": tag} if self.releases.tags else {}
        match = re.fullmatch(r"bytes=(\d+)-", asked) if self.releases.ranges else None
        if match and self.headers.get("If-Range") == tag:
            begin = int(match[1])
            said = begin if fault.piece is None else fault.piece
            rest = content[begin:]
            place = f"bytes {said}-{len(content) - 1}/{len(content)}"
            self._head(206, len(rest) + fault.extra, {**tags, "Content-Range": place})
        else:
            rest = content
            self._head(200, len(content) + fault.extra, tags)
        if body:
            self._body(rest, fault)

    def _head(self, code: int, length: int, more: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(length), **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, content: bytes, fault: Fault) -> None:
        with suppress(OSError):  # who asked may be gone
            self.wfile.write(content if fault.after is None else content[: fault.after])
            self.wfile.flush()
        if fault.silent:
            self.releases.ends.wait(STALL)
        if fault.silent or fault.extra or fault.after is not None:
            self.close_connection = True


@contextmanager
def serving(releases: Releases) -> Iterator[Releases]:
    handler = type("Handler", (_Handler,), {"releases": releases})
    server = _Server(("127.0.0.1", 0), handler)
    releases.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield releases
    finally:
        releases.ends.set()
        server.shutdown()
        server.server_close()
        thread.join(5.0)
