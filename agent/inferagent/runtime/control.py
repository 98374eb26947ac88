"""The control socket: HTTP/1.1 over a unix socket, one request a connection, for the commands of this host.

Access is the socket file's mode (0660) and its folder's. Everything that a client sends is bounded in size
and time, and nothing that it sends can end the agent.
"""

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h11

from inferagent.runtime.desk import Answer, Desk, DrainRequest, Reply, handle, refusal

__all__ = ["Answer", "ControlError", "Desk", "DrainRequest", "serve_control"]

MODE = 0o660
LOCK = "agent.lock"  # beside the socket
LONGEST_HEADER = 16 * 1024  # bytes
LONGEST_BODY = 16 * 1024
MOST_CONNECTIONS = 32
PATIENCE = 5.0  # seconds for a whole request and its answer
LINGER = 1.0
BACKLOG = 64


class ControlError(RuntimeError):
    """The control socket cannot be opened. The text reads "cannot start: …"; `cure` says what to do."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


async def serve_control(path: Path, desk: Desk, ready: asyncio.Event | None = None) -> None:
    """Serve until cancelled; `ready` is set once the socket answers. ControlError if it cannot be opened."""
    with only_agent(path):
        listener, inode = open_socket(path)
        office = _Office(desk)
        try:
            server = await asyncio.start_unix_server(office.receive, sock=listener, limit=LONGEST_HEADER)
            try:
                if ready is not None:
                    ready.set()
                await asyncio.Event().wait()
            finally:
                server.close()
                await office.close()
        finally:
            listener.close()
            _remove(path, inode)


@contextlib.contextmanager
def only_agent(path: Path) -> Iterator[None]:
    """Holds the lock beside the socket: it ends with this process, however that ends. ControlError if taken.

    The file is never removed: of two agents one could lock the file that the other has just taken away.
    """
    lock = path.with_name(LOCK)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        _take(lock, handle)
        yield
    finally:
        os.close(handle)


def _take(lock: Path, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ControlError(
            f"cannot start: another agent{_holder(handle)} holds {lock}", "inferagent status"
        ) from None
    except OSError as error:
        raise _cannot(lock, error, "lock") from error
    with contextlib.suppress(OSError):  # on a full disk the lock holds all the same, without a name
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)


def open_socket(path: Path) -> tuple[socket.socket, int]:
    """A listening socket at `path`, and its file's inode.

    A file that a dead agent left is replaced; where an agent answers, ControlError.
    """
    try:
        _refuse_living(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        listener.bind(str(path))
        path.chmod(MODE)  # before listen: nobody can have connected yet
        listener.listen(BACKLOG)
        listener.setblocking(False)
        return listener, path.stat().st_ino
    except OSError as error:
        listener.close()
        raise _cannot(path, error) from error


def _holder(handle: int) -> str:
    """Its pid for a message, "" where it has not written it yet: what stands there then is a dead one's."""
    pid = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
    return f" (pid {pid})" if pid.isdecimal() and Path(f"/proc/{pid}").exists() else ""


def _cannot(path: Path, error: OSError, deed: str = "listen at") -> ControlError:
    sudo = "run the command with sudo, or " if isinstance(error, PermissionError) else ""
    cure = f"{sudo}name another folder: run under [agent] in config.toml"
    return ControlError(f"cannot start: cannot {deed} {path}: {error.strerror or error}", cure)


def _refuse_living(path: Path) -> None:
    """Removes a stale socket file; ControlError where somebody answers or the file is no socket."""
    if not path.exists():
        return
    if not path.is_socket():
        raise ControlError(f"cannot start: {path} is there and is no socket", f"sudo ls -l {path}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        result = probe.connect_ex(str(path))
    # EAGAIN: the queue of a living agent is full.
    if result in (0, errno.EAGAIN, errno.EINPROGRESS):
        raise ControlError(f"cannot start: another agent answers at {path}", "inferagent status")
    path.unlink(missing_ok=True)


def _remove(path: Path, inode: int) -> None:
    with contextlib.suppress(OSError):
        if path.stat().st_ino == inode:
            path.unlink()


@dataclass(slots=True)
class _Office:
    """The open connections, each with the task that serves it."""

    desk: Desk
    open: dict[asyncio.StreamWriter, "asyncio.Task[None] | None"] = field(default_factory=dict)
    closed: bool = False

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its end."""
        if self.closed:  # accepted just before the end
            writer.close()
            return
        self.open[writer] = asyncio.current_task()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._talk(reader, writer)
                await _hang_up(reader, writer)
        except (OSError, TimeoutError, h11.LocalProtocolError):
            pass  # the client is gone, too slow, or asks what h11 cannot answer: nobody is left to tell
        finally:
            writer.close()
            del self.open[writer]

    async def close(self) -> None:
        """End the connections that are still open."""
        self.closed = True
        tasks = [task for task in self.open.values() if task is not None]
        for writer in self.open:
            writer.transport.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEADER)
        try:
            if len(self.open) > MOST_CONNECTIONS:
                code, document = refusal(503, "cannot answer: too many connections")
            else:
                code, document = await self._answer(connection, reader)
        except h11.RemoteProtocolError as error:
            code, document = refusal(error.error_status_hint, f"cannot understand the request: {error}")
        writer.write(_response(connection, code, document))
        await writer.drain()

    async def _answer(self, connection: h11.Connection, reader: asyncio.StreamReader) -> Reply:
        request = await _event(connection, reader)
        if not isinstance(request, h11.Request):
            raise ConnectionResetError("the client closed without a request")
        body = b""
        while isinstance(part := await _event(connection, reader), h11.Data):
            body += part.data
            if len(body) > LONGEST_BODY:
                return refusal(413, f"cannot take more than {LONGEST_BODY} bytes")
        return handle(self.desk, request.method.decode(), request.target.decode(), body)


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes what the client still sends: unread bytes would reset the connection before it reads."""
    writer.write_eof()
    async with asyncio.timeout(LINGER):
        while await reader.read(LONGEST_BODY):
            pass


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(4096))
    return event


def _response(connection: h11.Connection, code: int, document: dict[str, object]) -> bytes:
    body = json.dumps(document, allow_nan=False).encode() + b"\n"
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    parts = (
        h11.Response(status_code=code, headers=headers),
        h11.Data(data=body),
        h11.EndOfMessage(),
    )
    return b"".join(connection.send(part) or b"" for part in parts)
