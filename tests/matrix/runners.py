"""What happens to an Ollama's runners while they begin: caught within milliseconds, by a thread.

A load takes a third of a second with a small model, so nobody who looks now and then would meet it.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from inferagent.lab.processes import kill

PACE = 0.002
LAUNCHED = 2  # what a runner says of itself before it is told to load
REST, SLICE = 0.2, 0.02  # seconds for which one that is held back stands still, and runs


def children(pid: int) -> list[int]:
    """Direct ones; none of a process that has gone."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for listing in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(word) for word in listing.read_text().split()]
    return found


def runners(main: int) -> list[int]:
    """The processes that hold a model for the Ollama with this main pid."""
    return [pid for pid in (children(main) if main > 0 else ()) if _holds_a_model(pid)]


def _holds_a_model(pid: int) -> bool:
    return b"--model" in _words(pid)


def _words(pid: int) -> list[bytes]:
    """Its command line; nothing of a process that has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def wait_for_load(pid: int, seconds: float = 10.0) -> None:
    """Until the real one's runner has been told to load, and its server thereby knows that it lives: for one
    that dies before, its server waits in vain. A stand-in's runner has no port and loads from the start."""
    words = _words(pid)
    port = int(words[words.index(b"--port") + 1]) if b"--port" in words else 0
    end = time.monotonic() + seconds
    while port and time.monotonic() < end and _waits(port):
        time.sleep(PACE)


def _waits(port: int) -> bool:
    """For its order to load; or it does not listen yet."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        said = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return True
    finally:
        connection.close()
    return bool(said.get("status") == LAUNCHED)


def stop(pid: int) -> None:
    kill(pid, signal.SIGSTOP)


@dataclass
class Hunter:
    """Does `deed` to each runner that begins after `begin`, at most to `most` of them. `main` gives the
    engine's main pid, 0 while it has none."""

    main: Callable[[], int]
    deed: Callable[[int], None]
    most: int = 1000
    met: list[int] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> "Hunter":
        there = set(runners(self.main()))
        threading.Thread(target=self._run, args=(there,), daemon=True).start()
        return self

    def end(self) -> None:
        self._over.set()

    def _run(self, there: set[int]) -> None:
        main, asked = self.main(), time.monotonic()
        while not self._over.is_set() and len(self.met) < self.most:
            if time.monotonic() - asked > 0.1:  # who the main process is stands in a file
                main, asked = self.main(), time.monotonic()
            for pid in runners(main):
                if pid not in there and len(self.met) < self.most:
                    there.add(pid)
                    self.deed(pid)
                    self.met.append(pid)
            self._over.wait(PACE)


@dataclass
class Slow:
    """A machine that gives a process no more than a `share` of a processor, by stopping it for the rest.

    By the time that it has really had: on a busy machine nobody is stopped again at the very moment.
    """

    share: float
    _over: threading.Event = field(default_factory=threading.Event)

    def hold(self, pid: int) -> None:
        threading.Thread(target=self._run, args=(pid,), daemon=True).start()

    def end(self) -> None:
        """Whoever was held runs freely again."""
        self._over.set()

    def _run(self, pid: int) -> None:
        begun, had = time.monotonic(), cpu_seconds(pid)
        while not self._over.is_set() and Path(f"/proc/{pid}").exists():
            kill(pid, signal.SIGSTOP)
            self._over.wait(REST)
            while not self._over.is_set() and self._had_enough(cpu_seconds(pid) - had, begun):
                self._over.wait(REST)
            kill(pid, signal.SIGCONT)
            self._over.wait(SLICE)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def _had_enough(self, seconds: float, since: float) -> bool:
        return seconds > self.share * (time.monotonic() - since)


def cpu_seconds(pid: int) -> float:
    """Of all its life; 0 for a process that has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
