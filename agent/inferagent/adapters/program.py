"""A program of the user's, run to its end: own process group, clean environment, bounded time and output.

When a run is over, at its deadline or cancelled, whatever it started in its group is killed. There is never
a second run beside one that cannot be ended.
"""

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog

from inferagent.adapters import orphan
from inferagent.adapters.files import why
from inferagent.ports import PortError

_log = structlog.get_logger(__name__)

KEPT = 4096  # bytes of each of the two outputs
MOST = 1 << 20  # bytes in all; who writes more is ended: reading on would cost the agent its time
SURE = 2.0  # seconds that SIGKILL may take
LONGEST_LINE = 200  # characters
HANDED_ON = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Ended:
    """`code`: as the program gave it, −N for signal N. The outputs are cut after KEPT bytes."""

    code: int
    out: bytes
    err: bytes

    @property
    def how(self) -> str:
        return f"it was killed by signal {-self.code}" if self.code < 0 else f"it ended with code {self.code}"

    def lines(self) -> list[str]:
        """What it said, as printable lines, none empty; of the errors only where there is nothing else."""
        return printable_lines(self.out) or printable_lines(self.err)


@dataclass
class _Tap:
    """Reads one output as it comes, keeps its beginning, and counts."""

    file: IO[bytes]
    content: bytes = b""
    count: int = 0
    over: bool = False

    def read(self) -> None:
        """One piece; the end, or nothing there yet, is no error."""
        try:
            piece = os.read(self.file.fileno(), 65536)
        except BlockingIOError:
            return
        self.over = self.over or not piece
        self.count += len(piece)
        self.content += piece[: KEPT - len(self.content)]

    def rest(self) -> None:
        """What is there by now; a grandchild may keep the other end open for ever."""
        while not self.over and self.count < MOST:
            before = self.count
            self.read()
            if self.count == before:
                return


@dataclass
class Program:
    """`deadline` in seconds for one run. `environment` is added to the clean one. By `record` the next agent
    finds the run that a killed one has left, and ends it before its own."""

    argv: Sequence[str]
    deadline: float
    environment: Mapping[str, str] = field(default_factory=dict)
    record: Path | None = None
    _stuck: "subprocess.Popen[bytes] | None" = None
    _first: bool = True

    async def run(self, given: bytes = b"", extra: Mapping[str, str] | None = None) -> Ended:
        """`given` is its standard input, at most what a pipe takes at once (64 KiB). PortError for a program
        that cannot be started, does not end in time, or writes without end."""
        if self._stuck is not None and self._stuck.poll() is None:
            raise PortError(f"cannot run {self.argv[0]}: its last run cannot be ended")
        self._stuck = None
        if self._first and self.record is not None:
            await self._end_last(self.record)
        self._first = False
        _log.debug("command", argv=shlex.join(self.argv))
        child = self._start({**clean_environment(), **self.environment, **(extra or {})})
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        if self.record is not None:
            orphan.note(self.record, child.pid)
        taps = _Tap(child.stdout), _Tap(child.stderr)
        try:
            with suppress(BrokenPipeError, BlockingIOError):
                os.set_blocking(child.stdin.fileno(), False)
                os.write(child.stdin.fileno(), given)
            child.stdin.close()
            return await self._watched(child, taps)
        finally:
            for file in (child.stdin, child.stdout, child.stderr):
                file.close()

    async def _end_last(self, record: Path) -> None:
        try:
            await asyncio.to_thread(orphan.end_last, record)
        except PortError as problem:
            raise PortError(f"cannot run {self.argv[0]}: {problem}") from problem

    def _start(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise PortError(f"cannot start {self.argv[0]}: {why(error)}", refused=True) from error

    async def _watched(self, child: "subprocess.Popen[bytes]", taps: tuple[_Tap, ...]) -> Ended:
        loop = asyncio.get_running_loop()
        ended, woken = asyncio.Event(), asyncio.Event()
        handle = os.pidfd_open(child.pid)

        def end() -> None:
            loop.remove_reader(handle)
            ended.set()
            woken.set()

        def read(tap: _Tap) -> None:
            tap.read()
            if tap.over or tap.count > MOST:
                loop.remove_reader(tap.file)
            if tap.count > MOST:
                woken.set()

        loop.add_reader(handle, end)
        for tap in taps:
            os.set_blocking(tap.file.fileno(), False)
            loop.add_reader(tap.file, read, tap)
        try:
            async with asyncio.timeout(self.deadline):
                await woken.wait()
        except TimeoutError as error:
            raise PortError(f"cannot finish {self.argv[0]} within {self.deadline:g} s") from error
        finally:
            for tap in taps:
                loop.remove_reader(tap.file)
            await self._end(child, ended)
            loop.remove_reader(handle)
            os.close(handle)
        return self._told(child, taps)

    async def _end(self, child: "subprocess.Popen[bytes]", ended: asyncio.Event) -> None:
        """The leader is not reaped before its group is killed: till then nobody else gets its number."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(SURE):
                await ended.wait()
        if child.poll() is None:
            self._stuck = child

    def _told(self, child: "subprocess.Popen[bytes]", taps: tuple[_Tap, ...]) -> Ended:
        for tap in taps:
            tap.rest()
        if max(tap.count for tap in taps) >= MOST:
            raise PortError(f"cannot use {self.argv[0]}: it writes more than {MOST >> 20} MiB")
        out, err = taps
        return Ended(child.returncode, out.content, err.content)


def clean_environment() -> dict[str, str]:
    """What any program needs, and none of our secrets."""
    handed = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    return {"PATH": os.environ.get("PATH") or PATH, **handed}


def printable_lines(content: bytes) -> list[str]:
    """Without control characters, cut at LONGEST_LINE, the empty ones left out."""
    text = content.decode("utf-8", "replace")
    lines = ("".join(c if c.isprintable() else " " for c in line).strip() for line in text.splitlines())
    return [line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…" for line in lines if line]
