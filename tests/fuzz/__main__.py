"""`python -m tests.fuzz [--inputs N] [--seed S] [--only NAME] [--minutes M] [--keep DIR] [--replay FILE]`.

Exit code 0 when no input crashed a reader and no verdict was wrong, 1 when one did, 2 for a wrong argument.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path

from tests.fuzz.runner import Tally, examine
from tests.fuzz.targets import TARGETS
from tests.fuzz.worker import Watched, bound, piece

PIECE = 500  # inputs of one piece of work
PROCESSES = 2
EVERY = 20.0  # seconds between two lines of progress


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N", help="of each target")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="the same seed makes the same inputs"
    )
    parser.add_argument("--only", action="append", choices=TARGETS, help="this target; may be repeated")
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="stop after so long, shared by the targets"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the inputs that failed are written")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="judge one such input again")
    options = parser.parse_args(arguments)
    if options.replay:
        return replay(options.replay)
    names = options.only or list(TARGETS)
    keep, bad = options.keep, False
    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    for number, name in enumerate(names):
        share = (end - time.monotonic()) / (len(names) - number)
        tally = fuzz(name, options.seed, options.inputs, time.monotonic() + share)
        say(tally.line(name))
        if tally.kinds:
            bad = True
            keep = keep or Path(tempfile.mkdtemp(prefix="inferagent-fuzz-"))
            report(tally, keep)
    return 1 if bad else 0


def replay(path: Path) -> int:
    found = json.loads(path.read_text("utf-8"))
    with closing(TARGETS[found["target"]]()) as target:
        kind, judged = examine(Watched(target), found["case"])
    say(f"{path}: {kind or 'fine'}, {judged.word}", *judged.wrong)
    return 1 if kind else 0


def report(tally: Tally, keep: Path) -> None:
    for failure in tally.failures:
        path = failure.write(keep)
        say(f"  {failure.kind}: {failure.said}", f"    python -m tests.fuzz --replay {path}")


def fuzz(name: str, seed: int, inputs: int, end: float) -> Tally:
    """All pieces on two processes; a process that dies takes the rest with it and counts as a crash."""
    total, begun = Tally(), time.monotonic()
    told = begun
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=bound) as pool:
        for tally in _pieces(pool, name, seed, inputs, end):
            total.add(tally)
            if time.monotonic() - told > EVERY:
                told = time.monotonic()
                say(f"  {name}: {total.inputs} of {inputs}", where=sys.stderr)
    total.seconds = time.monotonic() - begun
    return total


def _pieces(pool: ProcessPoolExecutor, name: str, seed: int, inputs: int, end: float) -> Iterator[Tally]:
    starts = iter(range(0, inputs, PIECE))
    running: dict[Future[Tally], int] = {}
    while True:
        while (
            len(running) < 2 * PROCESSES
            and time.monotonic() < end
            and (start := next(starts, None)) is not None
        ):
            running[pool.submit(piece, name, seed, start, min(start + PIECE, inputs))] = start
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            start = running.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                say(f"  {name}: a process died among the inputs {start} to {start + PIECE} of seed {seed}")
                yield Tally(kinds=Counter(crash=1))
                return


def say(*lines: str, where: object = None) -> None:
    print(*lines, sep="\n", file=where or sys.stdout, flush=True)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
