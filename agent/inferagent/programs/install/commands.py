"""Runs what is too large to do ourselves (apt-get, dnf, uv, pip, docker): a deadline, no shell."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from inferagent.adapters.files import why
from inferagent.adapters.process import environment, pasteable
from inferagent.ports import PortError
from inferagent.programs.install.host import Host
from inferagent.programs.install.progress import Progress

LOOK = 0.5  # seconds between two looks at what it says
LONGEST = 300  # characters of its last words
LARGEST = 4 * 1024 * 1024  # bytes of an answer
FIRST = 65536  # bytes in which a first complaint is looked for
_COMPLAINT = re.compile(r"(E|W|ERROR|Error|error|fatal):|Err:\d")
_SECRETS = re.compile(r"//[^/@\s]+@")


class FailedError(PortError):
    """It ran to its end, and said no."""


@dataclass(frozen=True)
class Commands:
    """`program`: seconds for what should be short."""

    host: Host
    progress: Progress
    program: float

    def there(self, name: str, cure: str) -> str:
        """Where it is; PortError where it is missing."""
        found = self.host.program(name)
        if found is None:
            raise PortError(f"cannot find {name} → {cure}", refused=True)
        return found

    def answer(self, argv: Sequence[str], deadline: float | None = None) -> str:
        """What a short command says on its standard output."""
        return self.run(argv, deadline or self.program)

    def answer_or_nothing(self, argv: Sequence[str]) -> str:
        """The same; "" where it fails, which is its way to say no."""
        try:
            return self.answer(argv)
        except FailedError:
            return ""

    def run(
        self,
        argv: Sequence[str],
        deadline: float,
        extra: Mapping[str, str] | None = None,
        *,
        whole: bool = False,
    ) -> str:
        """PortError with its last words where it fails, or does not end in time.

        `whole`: half of its work would be worse than all of it, so Ctrl-C counts only once it has ended.
        """
        with _held_back(self.progress, _named(argv)) if whole else nullcontext():
            return self._run(argv, deadline, extra)

    def _run(self, argv: Sequence[str], deadline: float, extra: Mapping[str, str] | None) -> str:
        variables = {"PATH": self.host.path, "LC_ALL": "C.UTF-8", **(extra or {})}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=environment(variables),
                    start_new_session=True,
                )
            except OSError as error:
                raise PortError(f"cannot start {argv[0]}: {why(error)}", refused=True) from error
            self._wait(child, argv, deadline, out)
            if child.returncode:
                words = _why(err) or _why(out) or f"it ended with {child.returncode}"
                raise FailedError(f"cannot finish {_named(argv)}: {words} → see what it says: {_whole(argv)}")
            out.seek(0)
            return out.read(LARGEST).decode("utf-8", "replace")

    def _wait(
        self, child: "subprocess.Popen[bytes]", argv: Sequence[str], deadline: float, out: IO[bytes]
    ) -> None:
        end = time.monotonic() + deadline
        try:
            while time.monotonic() < end:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(min(LOOK, max(0.01, end - time.monotonic())))
                    return
                self.progress.tick(_last(out))
            raise PortError(f"cannot finish {_named(argv)} within {deadline:g} s → try: {_whole(argv)}")
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()


@contextmanager
def _held_back(progress: Progress, name: str) -> Iterator[None]:
    """Ctrl-C is noted, and counts after the work has ended well; what goes wrong is told first."""
    pressed = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        progress.say(f"{name} was let end, and has done its work; the rest is called off")
        raise KeyboardInterrupt


def _named(argv: Sequence[str]) -> str:
    """The program and what it was to do."""
    does = [word for word in argv[1:] if not word.startswith("-")][:1]
    return _SECRETS.sub("//…@", " ".join([Path(argv[0]).name, *does]))


def _whole(argv: Sequence[str]) -> str:
    return _SECRETS.sub("//…@", pasteable(argv))


def _why(file: IO[bytes]) -> str:
    """Its first complaint, else its last words."""
    text = os.pread(file.fileno(), FIRST, 0).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    found = next((line for line in lines if _COMPLAINT.match(line)), "")
    return _SECRETS.sub("//…@", found)[:LONGEST] or _last(file)


def _last(file: IO[bytes]) -> str:
    """Its last line that says something. Read beside the writer: nothing is moved for it."""
    size = os.fstat(file.fileno()).st_size
    text = os.pread(file.fileno(), 4096, max(0, size - 4096)).decode("utf-8", "replace")
    lines = [line.strip() for line in re.split(r"[\r\n]", text) if line.strip()]
    return _SECRETS.sub("//…@", lines[-1])[-LONGEST:] if lines else ""
