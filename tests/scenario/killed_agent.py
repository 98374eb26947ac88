"""`python -m tests.scenario.killed_agent [--rounds N] [--kills N] [--seed N] [--keep DIR]`: a line a round.

A real agent is killed at random points of a drain, and of a return after a kill of the engine. Exit code 0
when every round kept order and phase, else 1.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from tests.support.killing import play
from tests.support.killing_plan import Round
from tests.support.killing_world import TERMS, TERMS_OF_KILL


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.scenario.killed_agent", description=__doc__)
    parser.add_argument("--rounds", type=int, default=24, help="drains by the operator")
    parser.add_argument("--kills", type=int, default=6, help="kills of the engine")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep configuration and logs in this folder")
    options = parser.parse_args(arguments)
    kept = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="inferagent-")
    with kept as folder:
        played = asyncio.run(play(Path(folder), options.seed, options.rounds, options.kills, say))
    if played.drains:
        say(summary("drains by the operator", played.drains, TERMS.bound))
    if played.kills:
        say(summary("kills of the engine", played.kills, TERMS_OF_KILL.bound))
    return 1 if any(one.breaches for one in (*played.drains, *played.kills)) else 0


def summary(what: str, played: list[Round], bound: float) -> str:
    kept = sum(not one.breaches for one in played)
    took = max(one.took for one in played)
    found = ", ".join(sorted({f"{one.found} → {one.resumed}" for one in played}))
    failed, sent = sum(one.failed for one in played), sum(one.sent for one in played)
    return (
        f"{what}: agent killed in {len(played)} rounds, order and phase kept in {kept}; found → resumed: "
        f"{found}; all done at most {took:.1f} s after an agent's return (bound {bound:.0f} s); "
        f"{failed} of {sent} requests failed"
    )


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
