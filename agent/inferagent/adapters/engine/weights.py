"""How large a model's weights are: the folder that a vLLM's command line names, or where it caches models.

Only shown beside the progress of a load: whatever cannot be read makes it unknown.
"""

import pwd
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import psutil

from inferagent.adapters.engine.processes import tree

# The formats that engines load, best first: a folder may hold the same weights in several.
FORMATS = ("*.safetensors", "*.bin", "*.gguf", "*.pt")
MOST = 2000  # files of one folder


def weights_of(pid: int) -> int:
    """Bytes of the weights that the engine with this main pid loads, 0 where that cannot be told."""
    for one in tree(pid):
        try:
            process = psutil.Process(one)
            model = model_argument(process.cmdline())
            if model:
                return weights_in(model, caches(environment(process), _home(process)))
        except (psutil.Error, OSError):
            continue
    return 0


def model_argument(words: list[str]) -> str:
    """The model of `vllm serve MODEL` or `--model MODEL`; "" where none is named."""
    for name, value in pairwise(words):
        if name == "--model" or (name == "serve" and not value.startswith("-")):
            return value
    return next((word.removeprefix("--model=") for word in words if word.startswith("--model=")), "")


def environment(process: psutil.Process) -> dict[str, str]:
    """Nothing where only its own user may read it."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _home(process: psutil.Process) -> str:
    try:
        return pwd.getpwuid(process.uids().real).pw_dir
    except KeyError:
        return ""


def caches(variables: Mapping[str, str], home: str) -> Iterator[Path]:
    """Where such a process keeps downloaded models, the likeliest first."""
    if "HF_HUB_CACHE" in variables:
        yield Path(variables["HF_HUB_CACHE"])
    if "HF_HOME" in variables:
        yield Path(variables["HF_HOME"]) / "hub"
    if "XDG_CACHE_HOME" in variables:
        yield Path(variables["XDG_CACHE_HOME"]) / "huggingface" / "hub"
    if home:
        yield Path(variables.get("HOME", home)) / ".cache" / "huggingface" / "hub"


def weights_in(model: str, places: Iterator[Path]) -> int:
    """Of a model named by its folder, its file, or its name in one of the caches."""
    path = Path(model)
    if path.is_absolute():
        return path.stat().st_size if path.is_file() else _folder(path)
    for place in places:
        snapshots = place / f"models--{model.replace('/', '--')}" / "snapshots"
        sizes = [_folder(one) for one in _entries(snapshots)]
        if any(sizes):
            return max(sizes)
    return 0


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:MOST]
    except OSError:
        return []


def _folder(folder: Path) -> int:
    """The files of the first format that is there; links lead to where a cache keeps its contents."""
    entries = _entries(folder)
    for pattern in FORMATS:
        size = sum(_size(one) for one in entries if one.match(pattern))
        if size:
            return size
    return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
