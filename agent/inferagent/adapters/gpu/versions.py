"""The NVIDIA driver against its library: an upgrade swaps the library under a driver that stays loaded.

What runs goes on for days; what starts next finds no GPU.
"""

import re
from pathlib import Path

LOADED = Path("/proc/driver/nvidia/version")
MAPS = Path("/proc/self/maps")
LIBRARY = "libnvidia-ml.so."
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*")


def mismatch(loaded: Path = LOADED, maps: Path = MAPS) -> str:
    """What differs, in one sentence; "" where both are the same, or one of them cannot be read."""
    driver, library = driver_version(loaded), library_version(maps)
    if not driver or not library or driver == library:
        return ""
    return f"the NVIDIA driver in the kernel is {driver}, its library {library}"


def driver_version(loaded: Path = LOADED) -> str:
    try:
        found = _VERSION.search(loaded.read_text("ascii", "replace").partition("\n")[0])
    except OSError:
        return ""
    return found[0] if found else ""


def library_version(maps: Path = MAPS) -> str:
    """Of the file that the next program to start will load; the one in use here may be gone already."""
    try:
        lines = maps.read_text("utf-8", "replace").splitlines()
        used = next((line for line in lines if f"/{LIBRARY}" in line), "")
        path = Path(used[used.index("/") :].removesuffix(" (deleted)"))
        name = (path.parent / f"{LIBRARY}1").resolve().name
    except (OSError, ValueError):
        return ""
    version = name.removeprefix(LIBRARY)
    return version if _VERSION.fullmatch(version) else ""
