"""What a row saw: the struck host's status and its place at the edge, from moment to moment."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.matrix import lives
from tests.support.scenario import routed

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World

PACE = 0.25


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` in the event loop's seconds; `phase` is "" while the agent does not answer."""

    at: float
    routed: bool
    phase: str = ""
    root: str = ""
    sentence: str = ""
    findings: tuple[str, ...] = ()
    mains: tuple[tuple[str, int], ...] = ()  # main pids of engine and connector, 0: not running


@dataclass
class Watch:
    """Keeps each moment that differs from the one before, and every life of the engine."""

    world: World
    host: Host
    moments: list[Moment] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Until it is cancelled."""
        families = lives.Families()
        while True:
            moment = await self._look()
            self.orphans += families.seen(dict(moment.mains)["engine"])
            if not self.moments or _differs(self.moments[-1], moment):
                self.moments.append(moment)
            await asyncio.sleep(PACE)

    async def _look(self) -> Moment:
        with contextlib.suppress(OSError, ValueError):
            document = await self.host.status()
        where = await routed(self.world, self.host)
        mains = tuple((part, self.host.pid(part)) for part in ("engine", "connector"))
        return _moment(document, where, mains)

    @property
    def last(self) -> Moment | None:
        return self.moments[-1] if self.moments else None

    def since(self, at: float) -> list[Moment]:
        """Those from `at` on, with the one that still held then."""
        earlier = [moment for moment in self.moments if moment.at < at][-1:]
        return earlier + [moment for moment in self.moments if moment.at >= at]


def departures(moments: list[Moment]) -> int:
    """How often the edge stopped to route to the host."""
    return sum(old.routed and not new.routed for old, new in pairwise(moments))


def _moment(document: dict[str, Any] | None, where: bool, mains: tuple[tuple[str, int], ...]) -> Moment:
    now = asyncio.get_running_loop().time()
    if document is None:
        return Moment(now, where, mains=mains)
    codes = tuple(sorted(str(finding["code"]) for finding in document["findings"]))
    said = str(document["sentence"])
    return Moment(now, where, document["phase"], document["root_code"], said, codes, mains)


def _differs(old: Moment, new: Moment) -> bool:
    """The sentence counts seconds and is no difference by itself."""
    keys = ("routed", "phase", "root", "findings", "mains")
    return any(getattr(old, key) != getattr(new, key) for key in keys)
