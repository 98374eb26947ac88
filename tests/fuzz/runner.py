"""Make an input, judge it, count what came of it; the failures can be written to a file and judged again."""

import json
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Protocol

Case = dict[str, Any]  # a JSON object; bytes are kept as texts of latin-1

SLOW = 1.0  # CPU seconds; no input of a page may cost that much
KEPT = 20  # failures kept of one piece of work


@dataclass(frozen=True, slots=True)
class Judged:
    """`word` is accepted, refused or unknown; `wrong` names every verdict that the reference contradicts."""

    word: str
    wrong: tuple[str, ...] = ()


class Target(Protocol):
    """What is fuzzed. `make` depends on `random` alone; `judge` lets exceptions pass: those are crashes."""

    name: str

    def make(self, random: Random) -> Case: ...
    def judge(self, case: Case) -> Judged: ...


@dataclass(frozen=True, slots=True)
class Failure:
    """One input that failed: `kind` is "crash" or "wrong"."""

    target: str
    seed: int
    index: int
    kind: str
    said: str
    case: Case

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.target}-{self.seed}-{self.index}.json"
        fields = {name: getattr(self, name) for name in self.__slots__}
        path.write_text(json.dumps(fields, indent=1) + "\n", "utf-8")
        return path


@dataclass(slots=True)
class Tally:
    """What came of many inputs."""

    inputs: int = 0
    seconds: float = 0.0
    words: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.inputs += other.inputs
        self.words += other.words
        self.kinds += other.kinds
        self.failures += other.failures[: KEPT - len(self.failures)]

    def line(self, name: str) -> str:
        pace = self.inputs / self.seconds if self.seconds else 0.0
        words = ", ".join(f"{self.words[word]} {word}" for word in ("accepted", "refused", "unknown"))
        ends = f"{self.kinds['crash']} crashes, {self.kinds['wrong']} wrong verdicts"
        return f"{name}: {self.inputs} inputs, {pace:.0f} inputs/s, {words}, {ends}"


class Guarded:
    """Turns whatever leaves the block into `said`: here every exception is a finding."""

    said = ""

    def __enter__(self) -> "Guarded":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        lines = traceback.format_exception(kind, error, trace, limit=-6)
        self.said = "".join(lines)[-4000:]
        return True


def run(target: Target, seed: int, indexes: range) -> Tally:
    """Each input has a random source of its own, so that one is made again without those before it."""
    tally, begun = Tally(), time.perf_counter()
    for index in indexes:
        case = target.make(Random(seed * 1_000_003 + index))
        kind, judged = examine(target, case)
        tally.inputs += 1
        tally.words[judged.word] += 1
        if kind:
            tally.kinds[kind] += 1
            if len(tally.failures) < KEPT:
                said = "; ".join(judged.wrong)
                tally.failures.append(Failure(target.name, seed, index, kind, said, case))
    tally.seconds = time.perf_counter() - begun
    return tally


def examine(target: Target, case: Case) -> tuple[str, Judged]:
    """The kind of failure ("" for none), and what was judged or said."""
    judged = Judged("unknown")
    guard = Guarded()
    begun = time.perf_counter()
    with guard:
        judged = target.judge(case)
    if guard.said:
        return "crash", Judged("unknown", (guard.said,))
    if time.perf_counter() - begun > SLOW:
        spent = _cost(target, case)
        if spent > SLOW:
            return "crash", Judged(judged.word, (f"it took {spent:.1f} s of CPU", *judged.wrong))
    return ("wrong" if judged.wrong else ""), judged


def _cost(target: Target, case: Case) -> float:
    """CPU seconds: on a busy machine the wall clock says little. Reading this clock is itself dear."""
    begun = time.thread_time()
    with Guarded():
        target.judge(case)
    return time.thread_time() - begun
