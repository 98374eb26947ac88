"""One piece of work in a process of its own, which bounds the time and the memory that an input may take."""

import resource
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType

from tests.fuzz.runner import Case, Judged, Tally, Target, run
from tests.fuzz.targets import TARGETS

STUCK = 30.0  # seconds on the wall
MEMORY = 3 << 30  # bytes; an input that wants more is a crash, not the machine's trouble


def bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def piece(name: str, seed: int, start: int, stop: int) -> Tally:
    with closing(TARGETS[name]()) as target:
        return run(Watched(target), seed, range(start, stop))


class Watched:
    """A target whose readers are broken off when they do not end."""

    def __init__(self, target: Target) -> None:
        self.name, self._target = target.name, target
        self.make = target.make

    def judge(self, case: Case) -> Judged:
        with alarm():
            return self._target.judge(case)


class StuckError(Exception):
    """An input kept its reader busy for longer than anybody waits."""


@contextmanager
def alarm(seconds: float = STUCK) -> Iterator[None]:
    """Only in a process of our own: the test runner has its own alarm."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise StuckError(f"it took longer than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
