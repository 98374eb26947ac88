"""A docker daemon in one unix socket: some containers, each a real process or none, and what it was asked.

`stalls`: ends of paths without an answer, `says`: those with this status and body, `raw`: whatever bytes.
"""

import asyncio
import json
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class FakeContainer:
    """`process` makes its life real; `code` is how it ends when it is stopped."""

    name: str
    id: str
    status: str = "running"
    pid: int = 4194304  # more than a pid can be
    code: int = 0
    policy: str = "no"
    oom: bool = False
    auto_remove: bool = False
    network: str = "host"
    ports: dict[str, Any] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    lives: int = 1
    log: bytes = b""
    process: "subprocess.Popen[bytes] | None" = None

    def document(self) -> dict[str, Any]:
        runs = self.status in ("running", "paused")
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "Path": "engine",
            "Args": self.args,
            "State": {
                "Status": self.status,
                "Pid": self.pid if runs else 0,
                "ExitCode": 0 if runs else self.code,
                "OOMKilled": self.oom and not runs,
                "StartedAt": f"life {self.lives}",
            },
            "HostConfig": {
                "RestartPolicy": {"Name": self.policy, "MaximumRetryCount": 0},
                "AutoRemove": self.auto_remove,
                "Memory": 1 << 25,
                "NetworkMode": self.network,
                "PortBindings": self.ports,
            },
            "Config": {"Image": "lab/engine:1", "Labels": self.labels},
        }


@dataclass
class FakeDocker:
    socket: Path
    containers: dict[str, FakeContainer] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    stalls: set[str] = field(default_factory=set)
    says: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    raw: bytes = b""
    over: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str = "vllm", **what: Any) -> FakeContainer:
        made = FakeContainer(name, f"{len(self.asked) + len(self.containers):x}".rjust(64, "a"), **what)
        self.containers[name] = made
        return made

    def find(self, name: str) -> FakeContainer | None:
        by_id = {each.id: each for each in self.containers.values()}
        return self.containers.get(name) or by_id.get(name)

    def end(self, name: str, code: int = 0, *words: str) -> None:
        """`words`: what somebody told docker."""
        found = self.containers[name]
        self.events += words
        found.code, found.status = code, "exited"
        if found.process is not None:
            found.process.kill()
            found.process.wait()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and content."""
        words = [unquote(word) for word in path.strip("/").split("/")]
        if path == "/events":
            return 200, "".join(json.dumps({"Action": word}) + "\n" for word in self.events).encode()
        if words[0] == "images":
            return (
                (200, {"Id": "x"}) if "/".join(words[1:-1]) in self.images else (404, {"message": "no image"})
            )
        if path == "/containers/create":
            return self._create(query["name"][0], body)
        found = self.find(words[1])
        if found is None:
            return 404, {"message": f"No such container: {words[1]}"}
        if method == "DELETE":
            del self.containers[found.name]
            return 204, b""
        deed = getattr(self, f"_{words[2]}")
        answer: tuple[int, Any] = deed(found, body)
        return answer

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        if name in self.containers:
            return 409, {"message": "the name is taken"}
        made = self.add(name, status="created", labels=body["Labels"])
        return 201, {"Id": made.id}

    def _json(self, found: FakeContainer, _body: Any) -> tuple[int, Any]:
        return 200, found.document()

    def _start(self, found: FakeContainer, _body: Any) -> tuple[int, Any]:
        found.status, found.lives = "running", found.lives + 1
        return 204, b""

    def _stop(self, found: FakeContainer, _body: Any) -> tuple[int, Any]:
        self.end(found.name, found.code)
        return 204, b""

    def _update(self, found: FakeContainer, body: Any) -> tuple[int, Any]:
        found.policy = body["RestartPolicy"]["Name"]
        return 200, {"Warnings": None}

    def _logs(self, found: FakeContainer, _body: Any) -> tuple[int, Any]:
        return 200, found.log

    def _wait(self, found: FakeContainer, _body: Any) -> tuple[int, Any]:
        while found.status in ("running", "paused") and found.name in self.containers:
            if self.over.wait(0.005):
                break
        return 200, {"StatusCode": found.code}


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(5.0):
        while not holds():  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.005)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    docker: FakeDocker

    def handle_one_request(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            super().handle_one_request()

    def _serve(self) -> None:
        docker, parts = self.docker, urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        docker.asked.append((self.command, self.path, body))
        self.close_connection = True
        if any(parts.path.endswith(end) for end in docker.stalls):
            docker.over.wait()
            return
        if docker.raw:
            self.wfile.write(docker.raw)
            return
        said = next((told for end, told in docker.says.items() if parts.path.endswith(end)), None)
        status, content = said or docker.answer(self.command, parts.path, parse_qs(parts.query), body)
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_words: Any) -> None:
        pass


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def fake_docker(folder: Path) -> Iterator[FakeDocker]:
    docker = FakeDocker(folder / "docker.sock")
    handler = type("Handler", (_Handler,), {"docker": docker})
    with _Server(str(docker.socket), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield docker
        finally:
            docker.over.set()
            server.shutdown()
            thread.join()
            for each in docker.containers.values():
                if each.process is not None:
                    each.process.kill()
                    each.process.wait()
