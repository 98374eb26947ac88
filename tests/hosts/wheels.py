"""What the stand-ins import, for a host whose Python is another one than this: fetched by pip, once."""

import fcntl
import hashlib
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.hosts.base import NoHostsError, folder

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PINS = Path(__file__).resolve().parents[2] / "packaging/requirements-lab.txt"
GLIBC = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
HTTP = {
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "attrs",
    "frozenlist",
    "idna",
    "multidict",
    "propcache",
    "yarl",
}
TUNNEL = {"h2", "hpack", "hyperframe", "pycapnp"}
WANTED = HTTP | TUNNEL | {"typing-extensions"}


def wheels(python: str) -> Path:
    """The folder to import from; `python`: as 3.13. Raises NoHostsError."""
    pins = wanted(PINS.read_text())
    name = f"cp{python.replace('.', '')}-{hashlib.sha256(pins.encode()).hexdigest()[:16]}"
    lib = folder() / "wheels" / name
    lib.parent.mkdir(parents=True, exist_ok=True)
    with lib.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not lib.exists():
            _fetch(lib, python, pins)
    return lib


def wanted(pins: str) -> str:
    """Of pinned packages those that the stand-ins import."""
    blocks = re.split(r"^(?=[a-z])", pins, flags=re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] in WANTED)


def _fetch(lib: Path, python: str, pins: str) -> None:
    """Under another name first: half a folder is none."""
    half, file = lib.with_suffix(".half"), lib.with_suffix(".txt")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    file.write_text(pins)
    platforms = [word for name in GLIBC for word in ("--platform", f"{name}_{platform.machine()}")]
    which = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms]
    what = ["--no-compile", "--no-deps", "--require-hashes", "-r", str(file), "--target", str(half)]
    argv = [sys.executable, "-m", "pip", "install", "--quiet", *which, *what]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoHostsError(f"no wheels of Python {python} for the stand-ins: {done.stderr.strip()[-300:]}")
    half.rename(lib)
