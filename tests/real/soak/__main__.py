"""`python -m tests.real.soak [--minutes 30] [--seed N] [--engine ollama|vllm] [--stand-ins] [--only FAULT]`.

Random faults on one host of two, with the real programs that the environment names; the result is one JSON
document on the standard output. Exit code 0 when every bar is met, 1 when one is not, 77 when a real program
is missing and --stand-ins was not said.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from contextlib import nullcontext
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.bench.lab import say
from tests.fixtures.nvml.build import Driver, build
from tests.real import programs
from tests.real.soak.catalogue import deal, faults
from tests.real.soak.document import Verdict, document
from tests.real.soak.soak import soak, staged
from tests.real.store import copy_of

SKIPPED = 77


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if not options.stand_ins and (missing := _missing(options.engine)):
        say(f"SKIPPED: {', '.join(missing)} cannot be had; --stand-ins runs without")
        return SKIPPED
    kept = nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory(prefix="soak-")
    with kept as folder:
        try:
            text, verdicts = asyncio.run(_run(options, Path(folder).absolute()))
        except asyncio.CancelledError:
            say("stopped")
            return 1
    sys.stdout.write(json.dumps(text, indent=1, ensure_ascii=False) + "\n")
    for verdict in verdicts:
        say(f"{'met   ' if not verdict.broken else 'BROKEN'} {verdict.bar}")
        for line in verdict.broken:
            say(f"       {line}")
    return 1 if any(verdict.broken for verdict in verdicts) else 0


async def _run(options: argparse.Namespace, folder: Path) -> tuple[dict[str, Any], list[Verdict]]:
    this = asyncio.current_task()
    if this is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    _real(options, folder)
    known = [one for one in faults(options.engine) if not options.only or one.name in options.only]
    dealt = iter(known) if options.once else cycle(known) if options.only else deal(known, options.seed)
    environment = _gpu(options, folder)
    say(f"seed {options.seed}, {options.minutes:g} minutes, {len(known)} faults")
    async with staged(folder, options.engine, options.stand_ins, environment, options.seed) as told:
        say(f"{told.scene.host.engine.about}; {told.scene.host.connector.about}")
        await soak(told, dealt, 60 * options.minutes)
        return await document(told, options.seed, _versions(options))


def _gpu(options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """A stand-in of the driver's library, so that the GPU probe lives; not beside a real Ollama, which would
    truly be on the CPU while a GPU is there."""
    if shutil.which("cc") is None or (options.engine == "ollama" and not options.stand_ins):
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    driver = Driver(folder / "driver")
    driver.say(count="1", _0_utilisation="3", _0_pid="1")
    return {name: text for name, text in driver.environment(build(folder)).items() if name in _OURS}


_OURS = ("NVML_STATE", "LD_LIBRARY_PATH")


def _real(options: argparse.Namespace, folder: Path) -> None:
    """Names the programs to the lab. Ollama gets a store of its own: at its start it tidies up."""
    if options.stand_ins:
        return
    os.environ.update(programs.environment((options.engine, "cloudflared")))
    if options.engine == "ollama":
        os.environ["OLLAMA_MODELS"] = str(copy_of(Path(os.environ["OLLAMA_MODELS"]), folder / "ollama"))
        os.environ.setdefault("OLLAMA_NUM_PARALLEL", "4")


def _missing(engine: str) -> list[str]:
    there = programs.environment((engine, "cloudflared"))
    return [name for name in (engine, "cloudflared") if programs.KINDS[name].variable not in there]


def _versions(options: argparse.Namespace) -> dict[str, str]:
    if options.stand_ins:
        return {}
    found = {name: programs.find(programs.KINDS[name]) for name in (options.engine, "cloudflared")}
    return {name: programs.version(program) for name, program in found.items() if program is not None}


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.real.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--engine", choices=("ollama", "vllm"), default="ollama")
    parser.add_argument("--stand-ins", action="store_true", help="no real program at all")
    parser.add_argument("--only", action="append", metavar="FAULT", help="this fault; may be repeated")
    parser.add_argument("--once", action="store_true", help="every fault once, in the order of the list")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep configuration and logs in this folder")
    options = parser.parse_args(arguments)
    names = {one.name for one in faults(options.engine)}
    if unknown := set(options.only or ()) - names:
        parser.error(f"no fault {', '.join(sorted(unknown))}; there are: {', '.join(sorted(names))}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
