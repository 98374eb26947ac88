"""Cloudflare's API for a program that goes step by step: the client behind plain, waiting calls."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from inferagent.adapters.clock import BootClock
from inferagent.adapters.cloudflare.budget import Budget
from inferagent.adapters.cloudflare.client import ApiError, Call, Client
from inferagent.ports import PortError

SHARE = 400  # a person waits for setup, and it asks about forty times
CREATIONS = 3

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Where:
    """How an object is found by name: the entry of a list whose fields equal `match`."""

    path: str
    match: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)

    def finds(self, entry: Object) -> bool:
        return all(entry.get(key) == value for key, value in self.match.items())


class Session:
    """One person's conversation with the API. Not for use inside of a running event loop."""

    def __init__(self, base: str, token: str, deadline: float = 30.0) -> None:
        self._runner = asyncio.Runner()
        self._deadline = deadline
        self._client = Client(
            base, token, clock=BootClock(), random=secrets.SystemRandom().random, budget=Budget(SHARE)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def get(self, what: str, path: str) -> Any:
        return self._call(Call(what, "GET", path, deadline=self._deadline))

    def entries(self, what: str, path: str, params: Mapping[str, str] | None = None) -> list[Object]:
        """Every entry of a list, over all its pages."""
        call = Call(what, "GET", path, params=params, deadline=self._deadline)
        return [entry for entry in self._runner.run(self._client.pages(call)) if isinstance(entry, dict)]

    def find(self, what: str, where: Where) -> Object | None:
        found = self.entries(f"look for {what}", where.path, where.params)
        return next((entry for entry in found if where.finds(entry)), None)

    def change(self, what: str, method: str, path: str, body: Object) -> Object:
        return _object(what, self._call(Call(what, method, path, body, deadline=self._deadline)))

    def create(self, what: str, where: Where, body: Object) -> Object:
        """Make an object of a unique name. An answer that was lost is looked for before another try."""
        for left in reversed(range(CREATIONS)):
            try:
                return self.change(f"make {what}", "POST", where.path, body)
            except PortError as error:
                found = None if error.refused else self.find(what, where)
                if found is not None:
                    return found
                if error.refused or not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def delete(self, what: str, path: str) -> None:
        """Deleting what is gone already succeeds."""
        try:
            self._call(Call(f"delete {what}", "DELETE", path, deadline=self._deadline))
        except ApiError as error:
            if error.status != 404:
                raise

    def _call(self, call: Call) -> Any:
        return self._runner.run(self._client.call(call))


def _object(what: str, result: object) -> Object:
    if not isinstance(result, dict):
        raise PortError(f"cannot {what}: the answer is no object")
    return result
