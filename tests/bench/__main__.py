"""`python -m tests.bench [--only NAME] [--quick] [--keep DIR]`: one JSON line a figure, then the bars.

Exit code 0 when every bar is met, 1 when one is missed or a measurement broke off, 2 for a wrong argument.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from tests.bench import core, drain, hang, idle, kill, status
from tests.bench.bars import bars
from tests.bench.figures import Figure, verdicts
from tests.bench.lab import say

from inferagent.lab.demo.host import CommandError

Measure = Callable[[Path, bool], Awaitable[list[Figure]]]
FIGURES: dict[str, Measure] = {
    "drain_failed": drain.measure,
    "drain_requests": drain.measure,
    "kill_to_out_s": kill.measure,
    "hang_to_out_s": hang.vllm,
    "hang_to_out_ollama_s": hang.ollama,
    "decide_us": core.measure,
    "decide_ill_us": core.measure,
    "idle_pss_mib": idle.measure,
    "idle_cpu_percent": idle.measure,
    "status_ms": status.measure,
}
BROKEN = (CommandError, TimeoutError, RuntimeError, OSError, ValueError)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=FIGURES, help="this figure; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer trials, to see that all still runs")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep configuration and logs in this folder")
    options = parser.parse_args(arguments)
    names = options.only or list(FIGURES)
    kept = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="inferagent-")
    with kept as folder:
        try:
            figures, whole = asyncio.run(take(FIGURES, names, Path(folder), options.quick))
        except asyncio.CancelledError:
            say("stopped")
            return 1
    judged = verdicts(bars(options.quick), figures)
    for _, line in judged:
        _print(line)
    return 0 if whole and all(met for met, _ in judged) else 1


async def take(
    known: Mapping[str, Measure], names: list[str], folder: Path, quick: bool
) -> tuple[list[Figure], bool]:
    """The figures, and whether every measurement came to its end."""
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    figures: list[Figure] = []
    whole = True
    for measure in dict.fromkeys(known[name] for name in names):
        name = next(name for name in known if known[name] is measure)
        say(f"measuring {name}")
        taken: list[Figure] = []
        try:
            taken = await measure(folder / name, quick)
        except* BROKEN as errors:
            whole = False
            for error in leaves(errors):
                say(f"{name} broke off: {error}")
        for figure in taken:
            _print(figure.line())
        figures += taken
    return figures, whole


def leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
