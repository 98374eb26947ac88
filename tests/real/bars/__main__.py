"""`python -m tests.real.bars [--only NAME] [--stand-ins] [--quick] [--seed N] [--keep DIR]`

Figures of the chain client → edge's stand-in → real cloudflared → real engine: one JSON line each, then the
bars, then what was skipped for want of a program. Exit code 0 when every bar is met, 1 when one is missed or
a measurement broke off, 2 for a wrong argument, 77 when nothing could be measured.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from tests.bench.__main__ import take
from tests.bench.figures import Figure, verdicts
from tests.bench.lab import say
from tests.real.bars import drains, hang_out, kill_out, load, quic
from tests.real.bars.bars import bars
from tests.real.bars.chain import Chain

Measured = Callable[[Chain, Path, bool], Awaitable[list[Figure]]]
BARS: dict[str, Measured] = {
    "drains": drains.measure,
    "load": load.measure,
    "kill_out": kill_out.measure,
    "hang_out": hang_out.measure,
    "quic": quic.measure,
}
ALL = ("vllm", "ollama", "cloudflared")
NEEDS = dict.fromkeys(BARS, ALL) | {"quic": ("cloudflared", "ollama")}
SKIPPED = 77


def main(arguments: list[str], measures: Mapping[str, Measured] = BARS) -> int:
    options = _options(arguments)
    chain = Chain(options.stand_ins, options.seed)
    kept = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="inferagent-")
    with kept as folder:
        missing = chain.missing(Path(folder))
        wanted = options.only or list(BARS)
        names = [name for name in wanted if not missing.keys() & set(NEEDS[name])]
        code = (
            _measure(chain, {name: measures[name] for name in names}, Path(folder), options.quick)
            if names
            else SKIPPED
        )
    if skipped := [name for name in wanted if name not in names]:
        cures = "; ".join(f"{name}: {cure}" for name, cure in missing.items())
        sys.stdout.write(f"skipped {len(skipped)}: {', '.join(skipped)}, for want of {cures}\n")
    return code


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.real.bars")
    parser.add_argument("--only", action="append", choices=BARS, help="these figures; may be repeated")
    parser.add_argument(
        "--stand-ins", action="store_true", help="no real program: to see that all still runs"
    )
    parser.add_argument("--quick", action="store_true", help="few trials, to see that all still runs")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep configuration and logs in this folder")
    return parser.parse_args(arguments)


def _measure(chain: Chain, measures: Mapping[str, Measured], folder: Path, quick: bool) -> int:
    known = {name: partial(measure, chain) for name, measure in measures.items()}
    try:
        figures, whole = asyncio.run(take(known, list(known), folder, quick))
    except asyncio.CancelledError:
        say("stopped")
        return 1
    judged = verdicts(bars(quick), figures)
    for _, line in judged:
        sys.stdout.write(line + "\n")
    return 0 if whole and all(met for met, _ in judged) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
