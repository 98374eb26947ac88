"""What is right in a configuration and will hardly work on this host: said, and no error."""

import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from inferagent.config.errors import KeyPath, Place, Problem, dotted
from inferagent.config.load import Loaded
from inferagent.config.present import mode_of
from inferagent.config.settings import Settings

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # that of the programs the agent runs
ANY_X = 0o111  # whether the agent is one of them, shows itself


def remarks(loaded: Loaded) -> Iterator[Problem]:
    """Each with its place; none without settings."""
    origins = {one.key: one.origin for one in loaded.effective}
    for key, what, cure in _found(loaded.settings) if loaded.settings else ():
        yield Problem(Place(origins.get(dotted(key), str(loaded.folder))), dotted(key), what, cure)


def _found(settings: Settings) -> Iterator[tuple[KeyPath, str, str]]:
    programs: list[tuple[KeyPath, tuple[str, ...]]] = [(("notify", "exec"), settings.notify.exec)]
    programs += [(("check", index, "exec"), check.exec) for index, check in enumerate(settings.check)]
    for key, argv in programs:
        wrong = _wrong(argv[0]) if argv else None
        if wrong is not None:
            yield key, *wrong
    for name in ("readers", "operators"):
        group = settings.at("agent", name)
        if group and not _is_group(group):
            yield ("agent", name), f"there is no group {group}: nobody is let in", f"sudo groupadd {group}"


def _wrong(program: str) -> tuple[str, str] | None:
    """What keeps it from being run, with the cure; of what may not be looked at, nothing is known."""
    places = [Path("/", program)] if "/" in program else [Path(folder, program) for folder in PATH.split(":")]
    try:
        modes = {path: mode_of(path) for path in places}
        there = [path for path, mode in modes.items() if stat.S_ISREG(mode)]
        if any(modes[path] & ANY_X for path in there):
            return None
    except OSError:
        return None
    if there:
        return f"{there[0]} cannot be executed", f"sudo chmod 755 {there[0]}"
    if "/" not in program:
        return f"there is no program {program} in {PATH}", "write its whole path"
    return f"there is no program {program}", f"sudo install -m 755 {os.path.basename(program)} {program}"  # noqa: PTH119


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
