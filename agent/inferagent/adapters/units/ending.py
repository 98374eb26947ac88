"""Ends what is left of a life: SIGTERM (and SIGCONT, so that the stopped hear it), then SIGKILL."""

import asyncio
import signal
from collections.abc import Callable, Iterable

from inferagent.adapters.pids import Family, Identity, alive, members, tell

LOOK = 0.05  # seconds between two looks at processes that are being ended


def survivors(families: Iterable[Family]) -> list[Identity]:
    return [who for family in families for who in members(family)]


def kill(processes: Iterable[Identity]) -> None:
    for who in processes:
        tell(who, signal.SIGKILL)


async def end_all(
    families: Iterable[Family], polite: float, sure: float, count: Callable[[int], None]
) -> bool:
    """True when every process is gone. `polite` seconds after SIGTERM, then at most `sure` after SIGKILL.

    `count` is told how many are left, each time that it changes.
    """
    families = tuple(families)
    left = await asyncio.to_thread(survivors, families)  # some ms, just when others have urgent work
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
        left = [who for who in left if alive(who)] or await asyncio.to_thread(survivors, families)
        if now() >= hard:
            kill(left)
