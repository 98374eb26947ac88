"""The Python dependencies: pinned wheels of every Python that is served, laid into one folder.

The names of compiled modules tell Python and processor apart, so that all stand side by side.
"""

import hashlib
import re
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path

from pack.project import PACKAGING, PYTHONS, run

PINS = PACKAGING / "requirements-run.txt"
# No wheel of it is published: one file without anything compiled, taken from where this program runs.
WHEELLESS = "sdnotify"
# Wanted by rich for what the agent never shows: rendered Markdown, coloured source. They are a third of all
# files; structlog and httpx do without, and start the sooner.
UNUSED = ("markdown-it-py", "mdurl", "pygments")
GLIBC = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
# dbus-fast is as quick without its compiled half (4 × 2 MB), and types are for those who write against it.
LEFT_OUT = re.compile(r"dbus_fast/.*\.so|.*\.(pxd|pyx|pyi|c|h)|.*/py\.typed|example\.py")


def fetch(architecture: str, cache: Path) -> Path:
    """The folder of the wheels; nothing is fetched again while the pins are the same."""
    pins = _pins()
    folder = cache / f"{architecture}-{hashlib.sha256(pins.encode()).hexdigest()[:16]}"
    if not folder.exists():
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        (half / "pins.txt").write_text(pins)
        for python in PYTHONS:
            _download(half, architecture, python)
        half.rename(folder)
    return folder


def _pins() -> str:
    """All that is fetched."""
    blocks = re.split(r"^(?=[a-z])", PINS.read_text("utf-8"), flags=re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] not in (WHEELLESS, *UNUSED))


def _download(folder: Path, architecture: str, python: str) -> None:
    platforms = [word for name in GLIBC for word in ("--platform", f"{name}_{architecture}")]
    which = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms]
    what = ["--no-deps", "--require-hashes", "-r", str(folder / "pins.txt"), "-d", str(folder)]
    run(sys.executable, "-m", "pip", "download", "--quiet", *which, *what)


def unpack(folder: Path, library: Path) -> None:
    """`library` gets all that is imported, and the dist-info folders beside it."""
    library.mkdir(parents=True)
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(library, [name for name in packed.namelist() if not LEFT_OUT.fullmatch(name)])
    installed = Path(sysconfig.get_path("purelib"))
    for source in [installed / WHEELLESS, *installed.glob(f"{WHEELLESS}-*.dist-info")]:
        shutil.copytree(
            source,
            library / source.name,
            ignore=shutil.ignore_patterns("__pycache__", "INSTALLER", "REQUESTED"),
        )
