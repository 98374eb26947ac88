"""The docker daemon's calls that are needed here, each within a deadline; DaemonError or RefusedError."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from inferagent.adapters.docker.container import Container, read
from inferagent.adapters.docker.wire import SOCKET, Ask, DaemonError, RefusedError, Trouble, exchange

GONE, BUSY = 404, 409
SPARE = 5.0  # seconds that a stop may take beyond the time it gives the container
HEADER = 8  # bytes before each piece of a log: the stream, three zeros, and the length


@dataclass(frozen=True, slots=True)
class Docker:
    """`answers`: seconds for a call that should take none."""

    socket: Path = SOCKET
    answers: float = 10.0

    async def inspect(self, name: str) -> Container | None:
        """None: there is no such container."""
        try:
            found = await self._object(f"look at the container {name}", "GET", f"{_path(name)}/json")
        except RefusedError as error:
            if error.status == GONE:
                return None
            raise
        return read(found)

    async def start(self, name: str, deadline: float = 60.0) -> None:
        """Starting what runs is no error."""
        ask = Ask(f"start the container {name}", "POST", f"{_path(name)}/start", deadline=deadline)
        await exchange(self.socket, ask)

    async def stop(self, name: str, seconds: float) -> None:
        """SIGTERM, after `seconds` SIGKILL, both by docker; stopping what is stopped or gone is no error."""
        query = (("t", str(int(seconds))),)
        path = f"{_path(name)}/stop"
        ask = Ask(f"stop the container {name}", "POST", path, query, deadline=seconds + SPARE)
        try:
            await exchange(self.socket, ask)
        except RefusedError as error:
            if error.status != GONE:
                raise

    async def wait(self, name: str, deadline: float) -> None:
        """Returns when it does not run (any more)."""
        path = f"{_path(name)}/wait"
        await exchange(self.socket, Ask(f"wait for the container {name}", "POST", path, deadline=deadline))

    async def set_policy(self, name: str, policy: str, retries: int = 0) -> None:
        body = {"RestartPolicy": {"Name": policy, "MaximumRetryCount": retries}}
        what = f"set the restart policy of the container {name}"
        await self._object(what, "POST", f"{_path(name)}/update", body)

    async def create(self, name: str, body: dict[str, Any]) -> str:
        """The id. RefusedError 404: there is no such image, 409: the name is taken."""
        query = (("name", name),)
        ask = Ask(f"make the container {name}", "POST", "/containers/create", query, body, 60.0)
        return str(self._understood(ask, await exchange(self.socket, ask)).get("Id") or "")

    async def remove(self, name: str) -> None:
        """One that does not run; anonymous volumes stay."""
        ask = Ask(f"remove the container {name}", "DELETE", _path(name), deadline=60.0)
        await exchange(self.socket, ask)

    async def has_image(self, image: str) -> bool:
        try:
            path = f"/images/{quote(image, safe='/:@')}/json"
            await self._object(f"look for the image {image}", "GET", path)
        except RefusedError as error:
            if error.status == GONE:
                return False
            raise
        return True

    async def told(self, container: str, since: float, until: float) -> set[str]:
        """Of "kill" and "stop" what somebody told docker to do to it; wall-clock seconds, `until` has passed.

        "kill" comes before the container ends, for a stop as well; "stop" comes a moment after.
        """
        filters = json.dumps({"container": [container], "event": ["kill", "stop"]})
        query = (("since", f"{since:.6f}"), ("until", f"{until:.6f}"), ("filters", filters))
        ask = Ask("read docker's events", "GET", "/events", query, deadline=self.answers)
        lines = (await exchange(self.socket, ask)).splitlines()
        return {str(_event(line).get("Action")) for line in lines if line.strip()}

    async def last_lines(self, name: str, count: int) -> list[str]:
        query = (("stdout", "1"), ("stderr", "1"), ("tail", str(count)))
        ask = Ask(f"read the log of {name}", "GET", f"{_path(name)}/logs", query, deadline=self.answers)
        return _lines(await exchange(self.socket, ask))

    async def _object(
        self, what: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        ask = Ask(what, method, path, body=body, deadline=self.answers)
        return self._understood(ask, await exchange(self.socket, ask))

    def _understood(self, ask: Ask, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise DaemonError(f"cannot {ask.what}: docker's answer makes no sense", Trouble.STRANGE)
        return found


def _path(name: str) -> str:
    return f"/containers/{quote(name, safe='')}"


def _event(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _lines(raw: bytes) -> list[str]:
    """Without a terminal each piece has a header; with one, the log is plain text."""
    text = b""
    rest = raw
    while len(rest) >= HEADER and rest[0] <= 2 and rest[1:4] == b"\0\0\0":
        size = int.from_bytes(rest[4:HEADER], "big")
        text, rest = text + rest[HEADER : HEADER + size], rest[HEADER + size :]
    return (text + rest).decode("utf-8", "replace").splitlines()
