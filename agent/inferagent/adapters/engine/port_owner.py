"""Who owns the engine's port: asked while the engine has not been proven, or answers wrongly.

The kernel tells the uid and the inode of what listens there; /proc tells whose that is (whose_port.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.engine.census import Process, census, sees
from inferagent.adapters.engine.processes import tree
from inferagent.adapters.engine.sock_diag import Listening, listening
from inferagent.adapters.engine.whose_port import Scene, Whose, answering, named, whose
from inferagent.model.engine import Occupant
from inferagent.model.unit import Unit
from inferagent.ports import Clock, PortError

ASIDE = 1.0
HOLDS = 10.0  # seconds for which what was told of the same sockets and the same engine is not asked again
CANNOT = "cannot tell who owns the engine's port"

Key = tuple[str, frozenset[int]]
Lister = Callable[[int], list[Listening]]


@dataclass(slots=True)
class PortOwner:
    """`unit` gives the engine's unit, None while it is unknown; `name` is that of its systemd unit, "" for a
    child of the agent."""

    url: str
    clock: Clock
    unit: Callable[[], Unit | None]
    name: str = ""
    lister: Lister = listening
    _aside: Aside = field(default_factory=lambda: Aside("the owner of the engine's port"))
    _fronts: frozenset[int] = frozenset()  # sockets that have stood before an engine which listens elsewhere
    _told: tuple[Key, float, Occupant | None] | None = None

    async def look(self) -> Occupant | None:
        """A foreign program at the port; None where it is known to be none, or nobody can know. PortError
        where a later look may tell more."""
        unit = self._known()
        found = await self._aside.read(self._at_port, ASIDE)
        key = unit.incarnation, frozenset(one.inode for one in found)
        now = self.clock.now()
        if self._told is None or self._told[0] != key or now - self._told[1] >= HOLDS:
            self._told = key, now, await self._judged(unit, found, key[1])
        return self._told[2]

    def _known(self) -> Unit:
        unit = self.unit()
        if unit is None or unit.leftovers:
            raise PortError(
                f"{CANNOT}: {'its processes are' if unit is None else 'an earlier life is'} unclear"
            )
        return unit

    def _at_port(self) -> tuple[Listening, ...]:
        parts = urlsplit(self.url)
        return answering(parts.hostname or "127.0.0.1", self.lister(parts.port or 80))

    async def _judged(
        self, unit: Unit, found: tuple[Listening, ...], inodes: frozenset[int]
    ) -> Occupant | None:
        if not found:
            return None
        told, name = await self._aside.read(lambda: self._read(unit.main_pid, found), ASIDE)
        if self._known().incarnation != unit.incarnation:
            raise PortError(f"{CANNOT}: the engine was started or ended meanwhile")
        if told is Whose.FRONT:
            self._fronts = inodes
        if told is not Whose.FOREIGN or inodes <= self._fronts:
            return None
        return Occupant(found[0].port, found[0].uid, name)

    def _read(self, main: int, found: tuple[Listening, ...]) -> tuple[Whose, str]:
        """In a thread. PortError where the engine's processes come and go."""
        before, people = tree(main), census()
        everywhere = tuple(self.lister(0))
        moved = (main and not before) or tree(main) != before or not people.keys() >= set(before)
        if moved or not {one.inode for one in everywhere} >= {one.inode for one in found}:
            raise OSError("processes came or went")
        family = frozenset(before) | {one.pid for one in people.values() if self._of_unit(one)}
        scene = Scene(found, everywhere, people, main, family, sees)
        return whose(scene), named(scene)

    def _of_unit(self, one: Process) -> bool:
        """Of the engine's unit, although perhaps no descendant of its main process."""
        return bool(self.name) and f"/{self.name}" in one.cgroup
