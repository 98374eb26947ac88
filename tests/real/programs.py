"""The real programs that tests may run: named by the environment, on PATH, or in the cache of `make real`.

Nothing here gets anything. `environment()` is what a run with the real programs needs in its environment;
the cached store of Ollama's models is everybody's: who changes models works on a copy.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CACHE = "INFERAGENT_REAL_CACHE"
STORE = "OLLAMA_MODELS"
VERSION_SECONDS = 300.0  # an engine imports for long on a machine that is busy


@dataclass(frozen=True, slots=True)
class Kind:
    """One real program: the variable that names it, its file in the cache and what it wants beside it."""

    name: str
    title: str
    variable: str
    on_path: str
    cached: str
    version: tuple[str, ...]
    needs: tuple[tuple[str, str], ...] = ()


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "vllm",
            "vLLM",
            "INFERAGENT_VLLM",
            "vllm",
            "vllm/run/vllm",
            ("--version",),
            (("INFERAGENT_VLLM_MODEL", "models/tiny-llama"),),
        ),
        Kind(
            "ollama",
            "Ollama",
            "INFERAGENT_OLLAMA",
            "ollama",
            "ollama/bin/ollama",
            ("--version",),
            (("INFERAGENT_OLLAMA_MODEL", "models/tiny.gguf"), (STORE, "models/ollama")),
        ),
        Kind(
            "llamacpp",
            "llama.cpp",
            "INFERAGENT_LLAMACPP",
            "",
            "llamacpp/venv/bin/python",
            ("-c", "from importlib.metadata import version; print(version('xllamacpp'))"),
            (("INFERAGENT_LLAMACPP_MODEL", "models/tiny.gguf"),),
        ),
        Kind(
            "cloudflared",
            "cloudflared",
            "INFERAGENT_CLOUDFLARED",
            "cloudflared",
            "",
            ("version", "--short"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is there; `origin` says why this one."""

    kind: Kind
    path: Path
    origin: str


def cache_folder(variables: Mapping[str, str] = os.environ) -> Path:
    """Outside the repository; it need not be there yet."""
    named = variables.get(CACHE, "")
    if named:
        return Path(named).expanduser().absolute()
    base = variables.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "inferagent-real"


def find(kind: Kind, variables: Mapping[str, str] = os.environ) -> Program | None:
    """ValueError where a variable names what cannot be run: nothing else may stand in for it."""
    named = variables.get(kind.variable, "")
    if named:
        if not os.access(named, os.X_OK) or Path(named).is_dir():
            raise ValueError(f"cannot run {kind.variable}={named}: name a program, or unset it")
        return Program(kind, Path(named).absolute(), f"named by {kind.variable}")
    on_path = shutil.which(kind.on_path, path=variables.get("PATH", "")) if kind.on_path else None
    if on_path:
        return Program(kind, Path(on_path), "on PATH")
    cached = cache_folder(variables) / kind.cached
    if kind.cached and os.access(cached, os.X_OK):
        return Program(kind, cached, "in the cache")
    return None


def environment(
    only: tuple[str, ...] = tuple(KINDS), variables: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables that name every program there is, with its model; ValueError as `find`.

    A variable that is set already keeps its value. A program whose model is missing is left out.
    """
    found: dict[str, str] = {}
    for name in only:
        program = find(KINDS[name], variables)
        if program is None:
            continue
        beside = models(program.kind, variables)
        # Who needs the store of models says so; the suites make one of the weights.
        if all(path for variable, path in beside.items() if variable != STORE):
            named = {variable: path for variable, path in beside.items() if path}
            found |= {program.kind.variable: str(program.path), **named}
    return found


def models(kind: Kind, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the program wants beside it: "" for what is not there."""
    cache = cache_folder(variables)
    there = {}
    for variable, place in kind.needs:
        path = cache / place
        there[variable] = variables.get(variable, "") or (str(path) if path.exists() else "")
    return there


def version(program: Program) -> str:
    """As the program says it; "?" where it says none in time."""
    try:
        said = subprocess.run(
            [program.path, *program.kind.version],
            capture_output=True,
            text=True,
            timeout=VERSION_SECONDS,
            check=False,
            env={**os.environ, "HOME": str(cache_folder())},
        )
    except (OSError, subprocess.TimeoutExpired):
        return "?"
    # What an engine logs beside it has numbers too.
    return next((found for text in (said.stdout, said.stderr) if (found := version_in(text)) != "?"), "?")


def version_in(text: str) -> str:
    """The last version number of a text: what stands before it are warnings."""
    found = re.findall(r"\d+\.\d+(?:\.\d+)*(?:[+-][0-9A-Za-z.-]+)?", text)
    return str(found[-1]) if found else "?"
