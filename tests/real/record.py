"""`python -m tests.real.record [--only NAME] [--into DIR]`: makes the recordings anew from the real programs.

They lie in tests/fixtures/recordings, and the stand-ins are held against them. A program that is not there
keeps its old recording, and is named.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.real import record_cloudflared, record_ollama, record_vllm
from tests.real.programs import KINDS, environment, find, version
from tests.real.recording import FOLDER, Recording, save
from tests.support.edge_lab import STAND_IN

REAL_SECONDS = 900.0
RECORDED = ("vllm", "ollama", "cloudflared")
# The stand-ins, fast where only their shape counts.
QUICK_VLLM = {"LAB_START_SECONDS": "0", "LAB_TOKENS_PER_SECOND": "1000", "LAB_DEATH_SECONDS": "0.1"}
QUICK_OLLAMA = {"LAB_LOAD_SECONDS": "0", "LAB_TOKENS_PER_SECOND": "400"}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.real.record", description=__doc__)
    parser.add_argument("--only", action="append", choices=RECORDED, help="this program; may be repeated")
    parser.add_argument("--into", type=Path, default=FOLDER, metavar="DIR")
    parser.add_argument("--stand-ins", action="store_true", help="record the stand-ins instead, to compare")
    options = parser.parse_args(arguments)
    code = 0
    for name in options.only or RECORDED:
        with tempfile.TemporaryDirectory(prefix="inferagent-record-") as folder:
            made = asyncio.run(one(name, Path(folder), options.stand_ins))
        if made is None:
            sys.stderr.write(f"cannot record {KINDS[name].title}: it or its model is missing; make real\n")
            code = 1
            continue
        save(made, options.into / name)
        sys.stderr.write(f"recorded {made.program} {made.version}: {options.into / name}\n")
    return code


async def one(name: str, folder: Path, stand_in: bool) -> Recording | None:
    if stand_in:
        return await of_stand_in(name, folder)
    found, program = environment((name,)), find(KINDS[name])
    if program is None or not found:
        return None
    said, path = version(program), str(program.path)
    if name == "vllm":
        vllm = record_vllm.Vllm(path, found["INFERAGENT_VLLM_MODEL"], seconds=REAL_SECONDS)
        return await record_vllm.record(vllm, folder, said)
    if name == "ollama":
        ollama = record_ollama.Ollama(Path(found["INFERAGENT_OLLAMA_MODEL"]), path)
        return await record_ollama.record(ollama, folder, said)
    return await record_cloudflared.record([path], folder, said)


async def of_stand_in(name: str, folder: Path) -> Recording:
    """The same scenario with the stand-in."""
    said = "stand-in"
    if name == "vllm":
        return await record_vllm.record(record_vllm.Vllm(environment=QUICK_VLLM), folder, said)
    if name == "ollama":
        weights = folder / "weights.gguf"
        weights.write_bytes(b"GGUF" * 1000)
        ollama = record_ollama.Ollama(weights, environment=QUICK_OLLAMA)
        return await record_ollama.record(ollama, folder, said)
    return await record_cloudflared.record(STAND_IN, folder, said)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
