"""Users who each ask again as soon as they have an answer: as many at once as are named, never more."""

import asyncio
import itertools
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Kind

NUMBERS = itertools.count(1)


@dataclass
class Crowd(Traffic):
    """`users` ask side by side, the kinds by turns; `rate` says nothing here."""

    users: int = 1

    @classmethod
    def of(cls, traffic: Traffic, users: int, kinds: list[Kind]) -> "Crowd":
        """On the same URL and by the same judgement."""
        t = traffic
        return cls(t.url, t.model, kinds, t.rate, t.host, t.exact, t.host_header, users=users)

    async def _send(self, session: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        for number in range(self.users):
            group.create_task(self._user(session, number))

    async def _user(self, session: aiohttp.ClientSession, number: int) -> None:
        for turn in itertools.count(number):
            if self._stopping.is_set():
                return
            self.sent += 1
            await self._one(session, self.kinds[turn % len(self.kinds)], self.sent)


@dataclass(frozen=True)
class LongPrompt(Kind):
    """Each prompt has so many words and begins like no other, so that no cache of prefixes knows it."""

    words: int = 1

    def body(self, model: str, exact: bool) -> dict[str, Any]:
        said = f"{next(NUMBERS)} " + "lamp " * (self.words - 1)
        return {**super().body(model, exact), **self._asked(said)}

    def _asked(self, said: str) -> dict[str, Any]:
        if self.path.endswith("/chat/completions"):
            return {"messages": [{"role": "user", "content": said}]}
        return {"prompt": said}


def bounded(kinds: list[Kind], seconds: float) -> list[Kind]:
    """The same, each with so much time."""
    return [replace(kind, bound=seconds) for kind in kinds]
