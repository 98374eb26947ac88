"""How anything is got: in named steps, each with a deadline, in a `.part` folder that is renamed once whole.

An interrupted get goes on at the step where it stopped. What cannot be had raises GetError with the reason.
"""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

GIB = 1 << 30
REASON = 300
TELLING = ("error", "cannot", "could not", "no space", "not found", "timed out")


class GetError(Exception):
    """A program that cannot be had, and why."""


@dataclass
class Making:
    """One thing in the making. `say` tells each step as it begins."""

    name: str
    cache: Path
    say: Callable[[str], None]
    done: Path = field(init=False)
    part: Path = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.done, self.part = self.cache / self.name, self.cache / f"{self.name}.part"
        self.log = self.cache / "logs" / f"{self.name.replace('/', '-')}.log"

    def step(self, name: str, what: Callable[[], None]) -> None:
        """Once: a step that was done before an interruption is left out."""
        mark = self.part / ".steps" / name.replace(" ", "-")
        if mark.exists():
            return
        self.say(f"{self.name}: {name}")
        mark.parent.mkdir(parents=True, exist_ok=True)
        what()
        mark.touch()

    def run(self, argv: Sequence[str | Path], seconds: float, **more: str) -> None:
        """A command with its output in the log; `more` is added to the environment."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command([str(word) for word in argv], seconds, self.log, {**os.environ, **more})

    def finish(self) -> None:
        """The name appears only now, with everything in it."""
        shutil.rmtree(self.part / ".steps", ignore_errors=True)
        self.done.parent.mkdir(parents=True, exist_ok=True)
        self.part.rename(self.done)


def make(making: Making, steps: Callable[[Making], None], room: float = 0.0) -> None:
    """Runs the steps unless the thing is there; `room` is what the disk must have free, in GiB."""
    if making.done.exists():
        return
    making.part.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(making.cache).free / GIB
    used = sum(file.stat().st_blocks * 512 for file in files_of(making.part)) / GIB
    if free + used < room:
        raise GetError(f"{room:.0f} GiB are needed at {making.cache}, {free:.1f} are free")
    steps(making)
    making.finish()


def files_of(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def command(argv: list[str], seconds: float, log: Path, environment: Mapping[str, str]) -> None:
    """GetError with the last telling line of its output when it fails or is not done in time."""
    with log.open("ab") as output:
        begun = output.tell()
        output.write(f"$ {' '.join(argv)}\n".encode())
        output.flush()
        try:
            code = bounded(argv, seconds, output.fileno(), environment)
        except OSError as error:
            raise GetError(f"cannot run {argv[0]}: {error.strerror}") from error
    if code:
        after = log.read_bytes()[begun:].decode(errors="replace").splitlines()[1:]
        how = f"not done within {seconds:.0f} s" if code == -signal.SIGKILL else f"exit code {code}"
        raise GetError(f"{Path(argv[0]).name} {argv[1] if argv[1:] else ''}: {how}: {telling(after)}")


def bounded(argv: list[str], seconds: float, output: int, environment: Mapping[str, str]) -> int:
    """The exit code; past its time it is killed with all that it started in its session."""
    running = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(environment),
        start_new_session=True,
    )
    try:
        return running.wait(seconds)
    except subprocess.TimeoutExpired:
        return -signal.SIGKILL
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def telling(lines: Sequence[str]) -> str:
    """The last line that says what is wrong, or the last one."""
    said = [" ".join(line.split()) for line in lines if line.strip()]
    wrong = [line for line in said if any(word in line.lower() for word in TELLING)]
    return (wrong or said or ["it said nothing"])[-1][:REASON]


@contextmanager
def alone(cache: Path, say: Callable[[str], None]) -> Iterator[None]:
    """One at a time fills a cache; another waits for it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"somebody else fills {cache}: waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
