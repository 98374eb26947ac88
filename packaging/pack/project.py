"""What is built: version, date, architectures, and the Pythons that the package serves."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
# The processor's name → Debian's name of it; rpm takes the first.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
RELEASE = 1
MAINTAINER = "The inferagent authors <inferagent@localhost>"


class PackError(Exception):
    """What cannot be built, and the cure."""


def version() -> str:
    """Of pyproject.toml; PACK_VERSION makes another one of the same source, to try upgrades with."""
    if given := os.environ.get("PACK_VERSION"):
        return given
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def epoch() -> int:
    """Seconds: SOURCE_DATE_EPOCH, else the time of the last commit. Two builds of one source share it."""
    given = os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", cwd=ROOT)
    return int(given)


def maintainer() -> str:
    """Whoever publishes the packages says who that is."""
    return os.environ.get("PACK_MAINTAINER") or MAINTAINER


def run(*argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What it printed. Raises PackError with its complaint."""
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackError(f"cannot run {argv[0]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def beside(name: str) -> str:
    """A program that pip installed into where this one runs. Raises PackError."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise PackError(f"cannot build without {name}: pip install -r packaging/requirements-pack.txt")
    return str(path)


def need(tools: Mapping[str, str]) -> None:
    """Each tool → the package of Debian that has it. Raises PackError, naming the packages."""
    missing = {tool: package for tool, package in tools.items() if shutil.which(tool) is None}
    if missing:
        cure = "sudo apt-get install --no-install-recommends " + " ".join(sorted(set(missing.values())))
        raise PackError(f"cannot go on without {', '.join(missing)}: {cure}")
