"""The product as it will stand on a host's disk: a folder that lies over the base."""

import compileall
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from tests.hosts.wheels import PYTHONS, wheels

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS_LIB = "opt/lab"
LIB = "usr/lib/inferagent/lib"  # all that is imported: the agent, and what it needs


def product(layer: Path, *, tests: bool = False) -> Path:
    """Make `layer`. `tests`: they as well, for `python3 -m pytest` in /usr/lib/inferagent/lib."""
    shutil.copytree(REPOSITORY / "packaging/root", layer)
    lib = layer / LIB
    shutil.copytree(Path(sysconfig.get_path("purelib")), lib, copy_function=_share)
    for name in ["agent/inferagent", *(["tests"] if tests else [])]:
        shutil.copytree(
            REPOSITORY / name, lib / Path(name).name, ignore=shutil.ignore_patterns("__pycache__")
        )
    compileall.compile_dir(lib / "inferagent", quiet=2, stripdir=str(layer), prependdir="/")
    units = layer / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for file in sorted((REPOSITORY / "systemd").iterdir()):
        folder = {".sysusers": "sysusers.d", ".tmpfiles": "tmpfiles.d"}.get(file.suffix)
        target = layer / f"usr/lib/{folder}/{file.stem}.conf" if folder else units / file.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(file, target)
    return layer


def parts(layer: Path, python: str) -> Path:
    """Make `layer`: only the stand-ins of engine and connector, in /opt/lab, and what they import.

    A host whose Python they do not run on gets none. Raises NoHostsError.
    """
    lib = layer / PARTS_LIB
    if python not in PYTHONS:
        lib.mkdir(parents=True)
        return layer
    own = python == "{}.{}".format(*sys.version_info)
    shutil.copytree(Path(sysconfig.get_path("purelib")) if own else wheels(python), lib, copy_function=_share)
    copied = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "agent/inferagent", lib / "inferagent", ignore=copied)
    return layer


def _share(source: str, target: str) -> None:
    """The same file under a second name: hosts only ever write into their own uppermost layer."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
