"""The membership pull: the monitor reads the ready URL, so the verdict is the membership.

This host sees two things: what the ready program answers, and that a monitor asked it (the file `asked`).
"""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from inferagent.adapters.cloudflare.client import NO_TLS
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.ports import Clock, PortError

READY_PATH = "/.inferagent/ready"
DEADLINE_S = 2.0


class PullMembership:
    """MembershipPort. `monitor_bound` in seconds: a monitor silent for longer says nothing any more."""

    def __init__(
        self, name: str, port: int, asked: Path, clock: Clock, monitor_bound: float, machine: str = ""
    ) -> None:
        self._name = name
        self._url = f"http://127.0.0.1:{port}{READY_PATH}"
        self._clock = clock
        self._machine = machine
        self._witness = _Witness(asked, monitor_bound)
        self._http = httpx.AsyncClient(timeout=DEADLINE_S, trust_env=False, verify=NO_TLS)

    async def close(self) -> None:
        await self._http.aclose()

    async def read(self) -> MembershipView:
        try:
            answer = await self._http.get(self._url, headers={"User-Agent": "inferagent"})
        except httpx.HTTPError as error:
            raise PortError(
                f"cannot read the verdict at {self._url}: {error or type(error).__name__}"
            ) from error
        ready = answer.status_code == HTTPStatus.OK
        healthy = self._witness.healthy(ready, self._clock.now())
        return MembershipView(Endpoint(self._name, ready, healthy, machine=self._machine), None)

    async def push(self, member: bool) -> None:
        """Nothing to write: the verdict is published with every tick."""


class _Witness:
    """Whether a monitor saw the 200: it asked after we saw the verdict turn.

    The times of `asked` are compared with each other only, so no wall clock is trusted.
    """

    def __init__(self, asked: Path, bound: float, stamp: Callable[[Path], int | None] | None = None) -> None:
        self._asked = asked
        self._bound = bound
        self._stamp = stamp or _mtime
        self._ready = False
        self._last: int | None = None
        self._seen_at: float | None = None

    def healthy(self, ready: bool, now: float) -> bool | None:
        stamp = self._stamp(self._asked)
        if not ready or not self._ready:
            self._seen_at = None
        elif stamp != self._last:
            self._seen_at = now
        self._ready = ready
        self._last = stamp
        if self._seen_at is None or now - self._seen_at > self._bound:
            return None
        return True


def _mtime(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
