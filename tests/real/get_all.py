"""Gets every real program that is wanted and not there; what cannot be had is told with its reason."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.real import get_llamacpp, get_ollama, get_vllm, tiny_gguf, tiny_llama
from tests.real.get import GetError, Making, alone
from tests.real.programs import KINDS, Kind, Program, cache_folder, find, models

GETTERS: dict[str, Callable[[Making], None]] = {
    "vllm": get_vllm.get,
    "ollama": get_ollama.get,
    "llamacpp": get_llamacpp.get,
}
# A place in the cache, and who makes it there.
MODELS: dict[str, Callable[[Path], None]] = {
    "models/tiny-llama": tiny_llama.write,
    "models/tiny.gguf": tiny_gguf.write,
}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Had:
    """What became of one kind: the program, or why there is none."""

    kind: Kind
    program: Program | None
    reason: str = ""


def get_all(only: tuple[str, ...], say: Say, variables: Mapping[str, str] = os.environ) -> list[Had]:
    return [get_one(KINDS[name], say, variables) for name in only]


def get_one(kind: Kind, say: Say, variables: Mapping[str, str]) -> Had:
    try:
        program = find(kind, variables) or fetch(kind, say, variables)
        with alone(cache_folder(variables), say):
            make_models(program, say, variables)
    except (GetError, ValueError) as error:
        return Had(kind, None, str(error))
    except OSError as error:
        return Had(kind, None, f"{error.strerror or error}: {error.filename or cache_folder(variables)}")
    return Had(kind, program)


def fetch(kind: Kind, say: Say, variables: Mapping[str, str]) -> Program:
    if kind.name not in GETTERS:
        raise GetError(f"not on PATH; set {kind.variable}")
    cache = cache_folder(variables)
    with alone(cache, say):
        GETTERS[kind.name](Making(kind.name, cache, say))
    program = find(kind, variables)
    if program is None:
        raise GetError(f"{cache / kind.cached} is missing: remove {cache / kind.name} and try again")
    return program


def make_models(program: Program, say: Say, variables: Mapping[str, str]) -> None:
    """The tiny models that nobody named; the store is made by Ollama itself."""
    cache = cache_folder(variables)
    missing = [
        place for variable, place in program.kind.needs if not models(program.kind, variables)[variable]
    ]
    for place in missing:
        making = Making(place, cache, say)
        if place in MODELS:
            make_file(making, MODELS[place])
        else:
            get_ollama.store(making, program.path, weights(program.kind, variables))


def weights(kind: Kind, variables: Mapping[str, str]) -> Path:
    return Path(models(kind, variables)["INFERAGENT_OLLAMA_MODEL"])


def make_file(making: Making, write: Callable[[Path], None]) -> None:
    """A file or a folder that takes a moment: no steps, the same `.part`."""
    making.say(f"{making.name}: made on the spot")
    making.part.parent.mkdir(parents=True, exist_ok=True)
    write(making.part)
    making.part.rename(making.done)
