"""How long Ollama keeps a model loaded, and giving back what a probe added.

Users call `/v1`, which has no keep_alive: a probe there begins the model's stay anew.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from inferagent.adapters.local_http import LocalHttp
from inferagent.ports import PortError

FOR_EVER = 366 * 86400.0
SHORTEST = 1.0


def listed(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of /api/ps and of /api/tags; null stands for none."""
    entries = body.get("models") or []
    if not isinstance(entries, list):
        raise PortError("cannot list the models: `models` is no list")
    return [entry for entry in entries if isinstance(entry, dict)]


def spellings(name: str) -> frozenset[str]:
    """A model's name with and without the tag that stands for none."""
    plain = name.removesuffix(":latest")
    return frozenset({plain, plain if ":" in plain.rpartition("/")[2] else f"{plain}:latest"})


def expiry(loaded: list[dict[str, Any]], known: list[dict[str, Any]], name: str) -> float | None:
    """The wall-clock second at which the model goes; None when it is not loaded.

    `known` is the list of /api/tags: a copy of a model has another name and the same digest, and is loaded
    with it.
    """
    digests = [entry["digest"] for entry in known if _named(entry, name) and entry.get("digest")]
    for entry in loaded:
        if _named(entry, name) or entry.get("digest") in digests:
            return _second(entry.get("expires_at"))
    return None


def _named(entry: dict[str, Any], name: str) -> bool:
    return not spellings(str(entry.get("name", ""))).isdisjoint(spellings(name))


def _second(text: object) -> float | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


class Stay:
    """Only the native API can set the end of a stay, by `/api/generate` without a prompt, and it sets the
    length of the later stays of the same load together with it. So a probe of a model that was loaded and
    idle keeps its end, at a price: users who name no keep_alive get stays of that length until the model is
    unloaded once. Where somebody else asked meanwhile nothing is set, since the stay is then theirs.

    `wall` gives the wall clock in seconds, by which the engine names the end of a stay.
    """

    def __init__(self, http: LocalHttp, wall: Callable[[], float] = time.time) -> None:
        self._http, self._wall = http, wall

    async def read(self, name: str, timeout: float) -> float | None:
        """When the loaded model would go, or None when there is nothing to give back."""
        try:
            loaded = listed((await self._http.get("/api/ps", timeout)).mapping())
            known = listed((await self._http.get("/api/tags", timeout)).mapping()) if loaded else []
        except PortError:
            return None
        end = expiry(loaded, known, name)
        left = end - self._wall() if end is not None else 0.0
        return end if 0 < left < FOR_EVER else None

    async def restore(self, name: str, end: float, timeout: float) -> bool:
        """False when the engine did not take it, and the stay is longer than it was."""
        left = max(SHORTEST, end - self._wall())
        body = {"model": name, "stream": False, "keep_alive": f"{left * 1000:.0f}ms"}
        try:
            answer = await self._http.ask("POST", "/api/generate", timeout, body)
        except PortError:
            return False
        return answer.status == 200
