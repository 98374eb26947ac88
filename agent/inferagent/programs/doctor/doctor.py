"""The program doctor: choose the checks, run them, report."""

import asyncio
import time
from collections.abc import Sequence

from inferagent.adapters.clock import BootClock
from inferagent.config.errors import ConfigError
from inferagent.config.load import load
from inferagent.programs.doctor.report import Report
from inferagent.programs.doctor.running import chosen, examine, groups_of
from inferagent.programs.doctor.sight import Direction
from inferagent.programs.doctor.table import CHECKS
from inferagent.runtime.logs import configure


def names() -> tuple[tuple[str, str, str], ...]:
    """Every check's name, hop and title, in the order in which a cause is looked for."""
    return tuple((check.name, str(check.hop), check.title) for check in CHECKS)


def choices() -> tuple[str, ...]:
    """What `only` takes: every group, then every check."""
    groups = dict.fromkeys(group for check in CHECKS for group in groups_of(check))
    return (*groups, *(check.name for check in CHECKS))


def doctor(direction: Direction, only: Sequence[str] = ()) -> Report:
    """Blocks for at most the direction's deadline. ValueError names what is no check in `only`."""
    configure()  # what is logged on the way is no part of the report
    return asyncio.run(examined(direction, only))


async def examined(direction: Direction, only: Sequence[str] = ()) -> Report:
    """The same, inside of a loop."""
    checks = chosen(CHECKS, only) if only else CHECKS
    wanted = {check.name for check in chosen(CHECKS, only, needs=False)} if only else set()
    begun = time.monotonic()
    results = await examine(checks, direction)
    told = tuple(result for result in results if not wanted or result.check.name in wanted)
    return Report(_host(direction), BootClock().wall(), time.monotonic() - begun, told)


def _host(direction: Direction) -> str:
    """ "" where the configuration does not tell."""
    try:
        settings = load(direction.folder).settings
    except ConfigError:
        return ""
    return settings.host.name if settings else ""
