"""`make soak`: many random stories of the fleet in every core, and the whole trace of noise.

Exit code 1 when a law is broken, a law is met too seldom, or the noise fooled an agent. A story that fails
is shrunk and kept beside the tests.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.fleet.gather import SHARE, gather, laws
from tests.fleet.noise.run import run

CHUNK = 500


@dataclass
class Chunk:
    """What one process told. `failed`: the smallest story that broke a law, as text."""

    stories: int = 0
    seconds: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    failed: str = ""


def tell_chunk(number: int, seeded: int) -> Chunk:
    try:
        told = gather(number, seeded)
    except AssertionError as broken:
        return Chunk(failed=f"seed {seeded}\n{broken}")
    return Chunk(told.tally.stories, told.tally.seconds, told.tally.met)


def listen(days: float, seeded: int) -> tuple[str, bool]:
    """What the trace of noise came to, and whether no agent was fooled by it."""
    report = run(days, seeded)
    return "\n".join([str(report), *report.problems]), not report.problems


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def soak(number: int, processes: int, seeded: int, days: float) -> bool:
    """Whether no law was broken, each was met in one story of twenty, and the noise fooled nobody."""
    begun, whole, failed = time.monotonic(), Chunk(), 0
    with ProcessPoolExecutor(processes) as pool:
        noise = pool.submit(listen, days, seeded) if days else None
        sizes = [min(CHUNK, number - done) for done in range(0, number, CHUNK)]
        waiting: list[Future[Chunk]] = [
            pool.submit(tell_chunk, size, seeded + turn) for turn, size in enumerate(sizes)
        ]
        for one in as_completed(waiting):
            chunk = one.result()
            if chunk.failed:
                failed += 1
                say(chunk.failed)
                continue
            whole.stories += chunk.stories
            whole.seconds += chunk.seconds
            whole.met.update(chunk.met)
            say(f"{whole.stories} stories, {whole.stories / (time.monotonic() - begun):.1f} a second")
    calm = noise.result() if noise else ("no noise asked for", True)
    say(calm[0])
    return _conclude(whole, failed, time.monotonic() - begun) and calm[1]


def _conclude(whole: Chunk, failed: int, took: float) -> bool:
    if not whole.stories:
        return False
    shares = {law: whole.met[law] / whole.stories for law in laws()}
    for law, share in shares.items():
        say(f"  {law:32} met in {100 * share:5.1f} % of the stories")
    for law in sorted(whole.met.keys() - shares.keys()):
        say(f"  {law:32} met in {whole.met[law]} stories")
    seldom = [law for law, share in shares.items() if share < SHARE]
    rate, hours = whole.stories / took, whole.seconds / 3600
    say(f"{whole.stories} stories in {took:.0f} s, {rate:.1f} a second, {hours:.0f} virtual hours")
    say(f"{failed} chunks with a broken law, {len(seldom)} laws met too seldom {seldom or ''}")
    return not failed and not seldom


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    parser.add_argument("--stories", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, default=30.0, help="of noise; 0 leaves it out")
    options = parser.parse_args()
    return 0 if soak(options.stories, options.processes, options.seed, options.days) else 1


if __name__ == "__main__":
    raise SystemExit(main())
