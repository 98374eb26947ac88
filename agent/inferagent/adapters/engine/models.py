"""The engine's list of models, asked for now and then: it is static, and costs as much as the metrics."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inferagent.adapters.local_http import LocalHttp
from inferagent.model.reading import NEVER, Failed, Reading, Value, known
from inferagent.ports import Clock, PortError

EVERY = 10.0


def names_in(body: dict[str, Any], field: str, key: str) -> frozenset[str]:
    """Every `key` of the list `field`; null stands for an empty one.

    PortError where any of it cannot be read: a model that half a list does not name is not missing.
    """
    entries = body.get(field, False)
    if not isinstance(entries, list | None):
        raise PortError(f"cannot list the models: `{field}` is no list")
    names = [entry.get(key) if isinstance(entry, dict) else None for entry in entries or []]
    found = frozenset(name for name in names if isinstance(name, str))
    if not all(isinstance(name, str) for name in names):
        raise PortError(f"cannot list the models: an entry of `{field}` has no {key}")
    return found


@dataclass(slots=True)
class ModelList:
    """`read` turns the answer into names. Asked again after EVERY seconds, after a new connection, in doubt,
    and at each look while one of `wanted` is not there."""

    http: LocalHttp
    clock: Clock
    path: str
    read: Callable[[dict[str, Any]], frozenset[str]]
    wanted: tuple[str, ...] = ()
    _doubted: bool = False
    _last: Reading[frozenset[str]] = field(default=NEVER)
    _connects: int = -1

    def doubt(self) -> None:
        """An answer of the engine speaks against the list."""
        self._doubted = True

    async def look(self, timeout: Callable[[], float]) -> Reading[frozenset[str]]:
        stale = self.clock.now() - self._last.at >= EVERY or self._connects != self.http.connects
        last = known(self._last)
        if stale or self._doubted or last is None or not last.issuperset(self.wanted):
            self._doubted = False
            self._last = await self._ask(timeout())
            self._connects = self.http.connects
        return self._last

    async def _ask(self, timeout: float) -> Reading[frozenset[str]]:
        try:
            answer = await self.http.get(self.path, timeout)
            if answer.status != 200:
                raise PortError(f"cannot list the models: {self.path} answers {answer.status}")
            return Value(self.read(answer.mapping()), self.clock.now())
        except PortError as error:
            return Failed(str(error), self.clock.now())
