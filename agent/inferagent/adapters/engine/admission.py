"""Does the engine answer under the name by which users come? On loopback Ollama refuses most Host headers."""

from collections.abc import Callable
from dataclasses import dataclass

from inferagent.adapters.local_http import LocalHttp
from inferagent.ports import Clock, PortError

EVERY = 10.0
FORBIDDEN = 403


@dataclass(slots=True)
class Admission:
    """`name` gives the Host header of the users' requests, "" while that is unknown. Asked now and then, and
    at each look while it is refused; `http` is for these questions alone."""

    http: LocalHttp
    clock: Clock
    name: Callable[[], str]
    path: str
    refused: str = ""
    _asked: str = ""
    _at: float = float("-inf")

    async def look(self, timeout: float) -> str:
        """ "" or the name that is refused; without an answer what was known of the name stands."""
        name, now = self.name(), self.clock.now()
        if not name or (name == self._asked and not self.refused and now - self._at < EVERY):
            return self.refused if name else ""
        self.refused = self.refused if name == self._asked else ""
        self.http.name = name
        try:
            answer = await self.http.get(self.path, timeout)
        except PortError:
            return self.refused
        self._asked, self._at = name, now
        self.refused = name if answer.status == FORBIDDEN else ""
        return self.refused
