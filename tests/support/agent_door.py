"""The control sockets of an agent that does as it is told: it goes out, and comes back, a look at a time."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REFUSED = {
    "ok": False,
    "message": "cannot drain: no other host can answer",
    "cure": "inferagent drain --last",
}


@dataclass
class Door:
    """`refuses`: no drain without last. `stays`: never out. `ill`: never serves again. `silent`: no answer.
    `late`: so many looks tell of no hold yet.

    `orders`: what was asked of it, in order, with the fields.
    """

    run: Path
    mode: str = "act"
    phase: str = "serving"
    hold: str = ""
    engine: str = "running"
    refuses: bool = False
    stays: bool = False
    ill: bool = False
    silent: bool = False
    late: int = 0
    orders: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ends: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.orders]

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if method == "GET":
            return 200, self._status()
        fields = json.loads(body or b"{}")
        self.orders.append((path, fields))
        if path == "/v1/drain":
            if self.refuses and not fields["last"]:
                return 409, REFUSED
            self.hold, self.phase = str(fields["reason"]), "draining"
            self.engine = "stopping" if fields["stop_engine"] else self.engine
        else:
            self.hold, self.phase, self.engine = "", "joining", "running"
        return 200, {"ok": True, "message": "so be it", "cure": ""}

    def _status(self) -> dict[str, Any]:
        """As it is now; with each look it comes a little further."""
        said = {"mode": self.mode, "phase": self.phase, "hold": self.hold, "sentence": f"I am {self.phase}"}
        if self.hold and self.late:
            self.late -= 1
            return {**said, "phase": "out", "hold": "", "engine": {"state": self.engine}}
        said["engine"] = {"state": self.engine}  # type: ignore[assignment]
        if self.phase == "draining" and not self.stays:
            self.phase = "out"
        elif self.phase == "out" and self.engine == "stopping":
            self.engine = "stopped (exit 0)"
        elif self.phase == "joining" and not self.ill:
            self.phase = "serving"
        return said


@contextmanager
def opened(door: Door) -> Iterator[Door]:
    door.run.mkdir(parents=True, exist_ok=True)
    listeners = [_listener(door.run / name) for name in ("control.sock", "operator.sock")]
    threads = [threading.Thread(target=_serve, args=(door, one), daemon=True) for one in listeners]
    for thread in threads:
        thread.start()
    try:
        yield door
    finally:
        door.ends.set()
        for thread in threads:
            thread.join(5.0)
        for listener in listeners:
            listener.close()


def _listener(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(str(path))
    made.listen(8)
    made.settimeout(0.02)
    return made


def _serve(door: Door, listener: socket.socket) -> None:
    while not door.ends.is_set():
        with suppress(TimeoutError), listener.accept()[0] as peer:
            peer.settimeout(2.0)
            raw = peer.recv(65536)
            if door.silent:
                door.ends.wait(5.0)
                continue
            head, _, body = raw.partition(b"\r\n\r\n")
            method, path, _ = head.decode().split(" ", 2)
            code, document = door.answer(method, path, body)
            text = json.dumps(document).encode()
            peer.sendall(f"HTTP/1.1 {code} x\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
