"""Starts the ready program where it does not live; replaces one of another version with no refused request.

The new program gets the very listening socket of the old one, so that no connection falls between the two.
"""

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters import pids, process
from inferagent.adapters.clock import BootClock
from inferagent.adapters.files import why, write_whole
from inferagent.ports import PortError

RECORD, BEFORE = "ready.json", "ready.before.json"
PROGRAM = Path(__file__).with_name("ready.py")
HOST = "127.0.0.1"
STARTS_WITHIN = 5.0  # seconds
ANSWERS_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class Record:
    """What the program says of itself in ready.json."""

    who: pids.Identity
    tag: str
    port: int


async def ensure(run: Path, port: int, engine: str) -> int:
    """Its pid, once it answers on `port` of loopback. `engine` is HOST:PORT of the engine. Idempotent.

    PortError: the port is another program's, or the program does not start.
    """
    tag = _tag(run, engine)
    old = _living(run)
    if old and (old.tag, old.port) == (tag, port) and await answers(port):
        await _end_others(run, old.who.pid, None)
        return old.who.pid
    _remember(run, old)
    listener = await _listener(run, port, old)
    with listener:
        pid = _start(run, engine, tag, listener)
    await _wait(run, port, pid)
    await _end_others(run, pid, old)
    return pid


def note(run: Path, who: pids.Identity, port: int, engine: str) -> None:
    """Write the record of a program that lives, where somebody has removed it. PortError."""
    said = {"pid": who.pid, "start": who.start, "boot": BootClock().boot(), "tag": _tag(run, engine)}
    try:
        write_whole(run / RECORD, json.dumps({"schema": 1, **said, "port": port}).encode())
    except OSError as error:
        raise PortError(f"cannot write {run / RECORD}: {why(error)}") from error


def _remember(run: Path, old: Record | None) -> None:
    """An agent that ends before it has ended the old program leaves two: the next one must know."""
    if old and not _living(run, BEFORE):
        with suppress(OSError):
            write_whole(run / BEFORE, (run / RECORD).read_bytes())


async def _end_others(run: Path, pid: int, old: Record | None) -> None:
    for one in (_living(run, BEFORE), old):
        if one and one.who.pid != pid:
            await _end(one.who)
    with suppress(OSError):
        (run / BEFORE).unlink(missing_ok=True)


def _living(run: Path, name: str = RECORD) -> Record | None:
    try:
        said = json.loads((run / name).read_bytes())
        who = pids.Identity(int(said["pid"]), int(said["start"]))
        record = Record(who, str(said["tag"]), int(said["port"]))
        boot = said["boot"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    process.reap(who.pid)
    return record if boot == BootClock().boot() and pids.alive(who) else None


async def _listener(run: Path, port: int, old: Record | None) -> socket.socket:
    if old and old.port == port:
        inherited = await asyncio.to_thread(_inherit, run)
        if inherited:
            return inherited
        await _end(old.who)  # it hangs, and holds the port
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PortError(
            f"cannot listen on {HOST}:{port} for the ready URL: {why(error)}", refused=True
        ) from error
    return listener


def _inherit(run: Path) -> socket.socket | None:
    """The listening socket of the program that runs, or None when it does not hand it over in time."""
    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(ANSWERS_WITHIN)
            door.connect(f"/proc/self/fd/{folder}/ready.sock")
            _, handles, _, _ = socket.recv_fds(door, 1, 1)
    except OSError:
        return None
    finally:
        os.close(folder)
    return socket.socket(fileno=handles[0]) if handles else None


def _start(run: Path, engine: str, tag: str, listener: socket.socket) -> int:
    handle = listener.fileno()
    argv = [sys.executable, "-I", "-S", "-B", str(PROGRAM), "--run", str(run.absolute()), "--engine", engine]
    argv += ["--fd", str(handle), "--tag", tag]
    return process.spawn(argv, log=run / "ready.log", pass_fds=(handle,))


async def _wait(run: Path, port: int, pid: int) -> None:
    """Until the new program has introduced itself and the port answers."""
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            while not ((new := _living(run)) and new.who.pid == pid and await answers(port)):
                if process.reap(pid) is not None:
                    raise PortError(f"cannot start the ready program: {_last_words(run)}")
                await asyncio.sleep(0.01)
    except TimeoutError as error:
        raise PortError(f"cannot start the ready program: no answer within {STARTS_WITHIN:g} s") from error


def _last_words(run: Path) -> str:
    try:
        lines = (run / "ready.log").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it ended at once"


async def answers(port: int) -> bool:
    """Whether a ready program answers there, whatever it says."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(b"GET /.inferagent/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = await reader.read(-1)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"HTTP/1.1 ") and b'"ready"' in answer


async def _end(who: pids.Identity) -> None:
    """Ask it to leave; one that does not within its second or so, hangs."""
    pids.tell(who, signal.SIGTERM)
    for _ in range(100):
        if process.reap(who.pid) is not None or not pids.alive(who):
            return
        await asyncio.sleep(0.02)
    pids.tell(who, signal.SIGKILL)
    for _ in range(100):
        if process.reap(who.pid) is not None or not pids.alive(who):
            return
        await asyncio.sleep(0.01)


def _tag(run: Path, engine: str) -> str:
    """Names the program and how it was called: another tag is another version."""
    try:
        program = PROGRAM.read_bytes()
    except OSError as error:
        raise PortError(f"cannot read the ready program {PROGRAM}: {why(error)}") from error
    return hashlib.sha256(program + f"\0{run.absolute()}\0{engine}".encode()).hexdigest()[:16]
