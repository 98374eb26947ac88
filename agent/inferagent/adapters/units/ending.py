"""Ends what is left of a life: SIGTERM (and SIGCONT, so that the stopped hear it), then SIGKILL."""

import asyncio
import signal
from collections.abc import Callable, Iterable

from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.pids import Family, Identity, alive, members, tell

LOOK = 0.05  # seconds between two looks at processes that are being ended
SCAN = 5.0  # for a list of all processes: some ms, unless one of them is stuck in the kernel


def survivors(families: Iterable[Family]) -> list[Identity]:
    return [who for family in families for who in members(family)]


def kill(processes: Iterable[Identity]) -> None:
    for who in processes:
        tell(who, signal.SIGKILL)


async def survivors_aside(families: Iterable[Family], aside: Aside) -> list[Identity]:
    """The same beside the loop, where others have urgent work just then; PortError when it hangs."""
    families = tuple(families)
    return await aside.read(lambda: survivors(families), SCAN)


async def end_all(
    families: Iterable[Family], polite: float, sure: float, count: Callable[[int], None], aside: Aside
) -> bool:
    """True when every process is gone. `polite` seconds after SIGTERM, then at most `sure` after SIGKILL.

    `count` is told how many are left, each time that it changes. PortError when the processes cannot be told.
    """
    families = tuple(families)
    left = await survivors_aside(families, aside)
    for who in left:
        tell(who, signal.SIGTERM)
        tell(who, signal.SIGCONT)
    now = asyncio.get_running_loop().time
    hard, last, told = now() + polite, now() + polite + sure, -1
    while True:
        if len(left) != told:
            told = len(left)
            count(told)
        if not left or now() >= last:
            return not left
        await asyncio.sleep(LOOK)
        left = [who for who in left if alive(who)] or await survivors_aside(families, aside)
        if now() >= hard:
            kill(left)
