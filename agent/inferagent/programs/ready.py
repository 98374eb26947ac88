"""The ready program: answers /.inferagent/ready from the verdict file of this boot, agent or no agent.

One file, the standard library only, its listening socket passed in. 200 only while the verdict of this boot
says ready and the engine's port, which it names as well, does not refuse twice running. On run/ready.sock it
hands the socket to whoever replaces it.
"""

# pathlib alone would cost a fifth of this program's memory
# ruff: noqa: PTH105, PTH108, PTH123

import errno
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress

BOOT_ID = "/proc/sys/kernel/random/boot_id"
PATH = b"/.inferagent/ready"
CLIENTS = 64  # the oldest makes room for the next, so that slow ones cannot keep the monitor out
PATIENCE = 5.0  # seconds for a client to ask
GOODBYE = 1.0  # seconds for a client to hang up, and for all of them when this program is to end
GONE = 3.0  # seconds for which a verdict that was read still stands without its file
NONE = (False, "unknown", "")
LONGEST = 8192  # bytes of one request
MONITOR = b"cloudflare-traffic-manager"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Not Allowed", 503: "Unavailable"}

now = time.monotonic


def read_verdict(run: str, boot: str) -> tuple[bool, str, str]:
    """What the agent left: ready, phase, engine. Anything but a whole verdict of this boot is "not ready"."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        verdict = json.loads(content(f"{run}/verdict.json"))
        if verdict["boot"] == boot:
            return verdict["ready"] is True, str(verdict["phase"]), str(verdict.get("engine", ""))
    return NONE


class EnginePort:
    """Counts refusals in a row. Silence is no refusal, and a connection ends the count."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.engine, self.refusals = "", 0
        self.addresses: list[tuple[int, object]] = []
        self.selector = selector
        self.left: list[tuple[int, object]] = []
        self.pending: socket.socket | None = None

    def point(self, engine: str) -> None:
        """`engine` is HOST:PORT, else OSError or ValueError."""
        if engine != self.engine:
            host, _, port = engine.rpartition(":")
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
            self.engine, self.refusals = engine, 0
            self.addresses = [(entry[0], entry[4]) for entry in found]

    def check(self) -> None:
        self.close()
        if self.addresses:
            self.left = list(self.addresses)
            self.try_next()

    def try_next(self) -> None:
        """The next address by which the port may be known (localhost has two); all refuse, or it is open."""
        if not self.left:
            self.refusals += 1
            return
        family, address = self.left.pop(0)
        self.pending = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        code = self.pending.connect_ex(address)  # type: ignore[arg-type]
        if code == errno.EINPROGRESS:
            self.selector.register(self.pending, selectors.EVENT_WRITE, self.connected)
        else:
            self.outcome(code)

    def connected(self) -> None:
        if self.pending:
            self.outcome(self.pending.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def outcome(self, code: int) -> None:
        itself = code == 0 and self.pending is not None and is_own_echo(self.pending)
        self.close()
        if code == errno.ECONNREFUSED or itself:
            self.try_next()
        elif code == 0:
            self.refusals = 0

    def close(self) -> None:
        close(self.selector, self.pending)
        self.pending = None


class Client:
    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.heard = sock, b""
        self.deadline, self.answered = now() + PATIENCE, False


class Server:
    def __init__(self, run: str, listener: socket.socket, engine: str) -> None:
        self.run, self.told, self.listener = run, engine, listener
        self.selector = selectors.DefaultSelector()
        self.boot = content(BOOT_ID).decode().strip()
        self.port = EnginePort(self.selector)
        if engine:
            self.port.point(engine)
        self.clients: list[Client] = []
        self.asked = count_asked(run)
        self.verdict, self.verdict_at = NONE, now()
        self.leave_at = 0.0  # no: the listening socket is still ours
        self.selector.register(listener, selectors.EVENT_READ, self.accept)

    def serve(self) -> None:
        tick = now()
        while not self.leave_at or (self.clients and now() < self.leave_at):
            for key, _ in self.selector.select(max(0.0, tick - now())):
                if self.selector.get_map().get(key.fd) is key:  # not closed by the one before it
                    key.data()
            if now() >= tick:
                tick = now() + 1.0
                self.look()

    def look(self) -> None:
        """Once a second: the engine's port while it matters, and clients that take too long."""
        ready, _, engine = self.said()
        if not ready:
            self.port.refusals = 0
        else:
            with suppress(OSError, ValueError):  # a name that cannot be resolved now: the next look
                self.port.point(self.told or engine)
            self.port.check()
        for late in [client for client in self.clients if now() > client.deadline]:
            self.drop(late)

    def leave(self, *_: object) -> None:
        """SIGTERM: the socket is another's from now on; those who are here get their answer."""
        if not self.leave_at:
            self.leave_at = now() + GOODBYE
            close(self.selector, self.listener)

    def accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
            sock.setblocking(False)
        except OSError:  # gone again, or our twin was faster
            return
        if len(self.clients) >= CLIENTS:
            self.drop(self.clients[0])
        client = Client(sock)
        self.clients.append(client)
        self.selector.register(sock, selectors.EVENT_READ, lambda: self.hear(client))

    def hear(self, client: Client) -> None:
        heard = b""
        with suppress(OSError):
            heard = client.sock.recv(LONGEST)
        if not heard:
            self.drop(client)
        elif not client.answered:
            client.heard += heard
            if b"\r\n\r\n" in client.heard or len(client.heard) >= LONGEST:
                self.reply(client)

    def reply(self, client: Client) -> None:
        """One small answer always fits the socket's buffer; then the client is to hang up."""
        client.answered, client.deadline = True, now() + GOODBYE
        try:
            client.sock.send(self.answer(client.heard))
            client.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.drop(client)

    def answer(self, request: bytes) -> bytes:
        head, found, _ = request.partition(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if not found or len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return response(400, {"error": "bad request"}, True)
        with_body = words[0] != b"HEAD"
        if words[1].partition(b"?")[0] != PATH:
            return response(404, {"error": "not found"}, with_body)
        if words[0] not in (b"GET", b"HEAD"):
            return response(405, {"error": "method not allowed"}, with_body)
        if any(MONITOR in line for line in head.lower().split(b"\r\n") if line.startswith(b"user-agent:")):
            self.touch_asked()
        ready, phase, _ = self.said()
        ready = ready and self.port.refusals < 2
        return response(200 if ready else 503, {"ready": ready, "phase": phase}, with_body)

    def said(self) -> tuple[bool, str, str]:
        """The verdict. A file that is gone is soon written anew by a living agent; until then it stands."""
        found = read_verdict(self.run, self.boot)
        kept = found == NONE and not os.path.lexists(f"{self.run}/verdict.json")
        if not kept or now() >= self.verdict_at + GONE:
            self.verdict, self.verdict_at = found, now()
        return self.verdict

    def touch_asked(self) -> None:
        """Let the agent know when a monitor last asked, and how often in all: such requests are no users."""
        self.asked += 1
        with suppress(OSError):
            handle = os.open(f"{self.run}/asked", os.O_WRONLY | os.O_CREAT, 0o644)
            os.pwrite(handle, b"%d" % self.asked, 0)
            os.utime(handle)
            os.close(handle)

    def drop(self, client: Client) -> None:
        close(self.selector, client.sock)
        self.clients.remove(client)

    def open_handover(self) -> None:
        """A private unix socket on which a successor of the same user gets the listening socket."""
        folder = os.open(self.run, os.O_RDONLY | os.O_DIRECTORY)
        path = f"/proc/self/fd/{folder}/ready.sock"  # short, whatever the folder: socket names have 107 bytes
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        if os.path.lexists(path):
            os.unlink(path)
        mask = os.umask(0o177)
        door.bind(path)
        os.umask(mask)
        os.close(folder)
        door.listen(4)
        self.selector.register(door, selectors.EVENT_READ, lambda: self.hand_over(door))

    def hand_over(self, door: socket.socket) -> None:
        with suppress(OSError), door.accept()[0] as peer:
            socket.send_fds(peer, [b"1"], [self.listener.fileno()])  # closed already: an error, no handle


def is_own_echo(sock: socket.socket) -> bool:
    """A port that nobody listens on may be given to the caller himself, who then hears himself."""
    with suppress(OSError):  # accepted, and gone again
        return bool(sock.getsockname() == sock.getpeername())
    return False


def close(selector: selectors.BaseSelector, sock: socket.socket | None) -> None:
    if sock and sock.fileno() in selector.get_map():
        selector.unregister(sock)
    if sock:
        sock.close()


def response(code: int, body: dict[str, object], with_body: bool) -> bytes:
    text = json.dumps(body).encode() + b"\n"
    allow = "Allow: GET, HEAD\r\n" if code == 405 else ""
    head = (
        f"HTTP/1.1 {code} {REASONS[code]}\r\nContent-Type: application/json\r\n{allow}"
        f"Content-Length: {len(text)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (text if with_body else b"")


def count_asked(run: str) -> int:
    """What an earlier program of this kind had counted; a number that falls would look like arrivals."""
    with suppress(OSError, ValueError):
        return int(content(f"{run}/asked") or b"0")
    return 0


def content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(LONGEST)


def introduce(run: str, boot: str, tag: str, port: int) -> None:
    """Leave ready.json: who answers, so that a starter finds this very process again."""
    start = int(content("/proc/self/stat").rpartition(b")")[2].split()[19])
    record = {"schema": 1, "pid": os.getpid(), "start": start, "boot": boot, "tag": tag, "port": port}
    aside = f"{run}/.ready.json.{os.getpid()}"
    with open(aside, "w") as file:
        json.dump(record, file)
    os.replace(aside, f"{run}/ready.json")


def main(argv: list[str]) -> int:
    chosen = dict(zip(argv[::2], argv[1::2], strict=False))
    if not chosen.get("--run"):
        sys.stderr.write("usage: ready.py --run DIR [--engine HOST:PORT] [--fd 3] [--tag TAG]\n")
        return 2
    listener = socket.socket(fileno=int(chosen.get("--fd", "3")))
    listener.setblocking(False)
    server = Server(chosen["--run"], listener, chosen.get("--engine", ""))
    bell, rope = socket.socketpair()  # a signal alone would wait for the end of the present second
    rope.setblocking(False)
    signal.set_wakeup_fd(rope.fileno())
    server.selector.register(bell, selectors.EVENT_READ, lambda: bell.recv(64))
    signal.signal(signal.SIGTERM, server.leave)
    server.open_handover()
    introduce(chosen["--run"], server.boot, chosen.get("--tag", ""), listener.getsockname()[1])
    server.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
