"""What is looked at before anything is fetched: rights, architecture, NVIDIA driver. PortError refuses."""

import re
from pathlib import Path

from inferagent.config.sources import FILE, Driver
from inferagent.config.trust import mistrust
from inferagent.ports import PortError
from inferagent.programs.install.host import Host

DRIVER = "/proc/driver/nvidia/version"


def check_root(host: Host, name: str, again: str) -> None:
    if host.uid != 0:
        raise PortError(f"cannot install {name}: only root may → {again}", refused=True)


def check_sources(folder: Path) -> None:
    """Whoever could write there would say what root runs."""
    for place in (folder, folder / FILE):
        if text := mistrust(place):
            raise PortError(text, refused=True)


def check_architecture(host: Host, name: str, taken: tuple[str, ...] = ("amd64", "arm64")) -> str:
    """As releases name it."""
    if host.architecture not in taken:
        said = host.architecture or host.machine
        raise PortError(f"cannot install {name} here: there is none for {said}, only for {', '.join(taken)}")
    return host.architecture


def driver_version(host: Host) -> str | None:
    """Of the NVIDIA driver that is loaded; None: there is none, or nobody can tell."""
    try:
        text = host.at(DRIVER).read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.search(r"NVRM version:.*?\s(\d+(?:\.\d+){1,3})\s", text)
    return found[1] if found else None


def needed_driver(version: str, table: tuple[Driver, ...]) -> Driver | None:
    """The row that a version belongs to: that of the CUDA which it names, else the last that it reaches."""
    named = re.search(r"\+cu(\d{2})", version)
    if named:
        return next((row for row in table if row.cuda.split(".")[0] == named[1]), None)
    reached = [row for row in table if numbers(row.version) <= numbers(version)]
    return max(reached, key=lambda row: numbers(row.version), default=None)


def check_driver(host: Host, what: str, version: str, table: tuple[Driver, ...]) -> str:
    """A sentence for the plan; PortError where the driver is too old."""
    found, needed = driver_version(host), needed_driver(version, table)
    if needed is None:
        return f"what {what} {version} needs of an NVIDIA driver is not known"
    asked = f"{what} {version} (CUDA {needed.cuda}) needs an NVIDIA driver of {needed.least} or newer"
    if found is None:
        return f"{asked}; the driver of this host is unknown"
    if numbers(found) < numbers(needed.least):
        raise PortError(
            f"cannot use {what} {version}: its CUDA {needed.cuda} needs an NVIDIA driver of {needed.least} "
            f"or newer, this host runs {found} → upgrade the driver and reboot, or name an older --version",
            refused=True,
        )
    return f"{asked}: this host runs {found}"


def numbers(version: str) -> tuple[int, ...]:
    """580.65.06 → (580, 65, 6); what follows the numbers is left out."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
