"""One connection of a connector: control stream, pings, configuration pushes, and an orderly end."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import capnp

from inferagent.lab.wire.headers import CONTROL_STREAM, UPDATE_CONFIGURATION, UPGRADE
from inferagent.lab.wire.link import Link
from inferagent.lab.wire.rpc import SCHEMA, rpc_stream
from inferagent.lab.wire.stream import Headers, Stream, StreamFailedError

if TYPE_CHECKING:
    from inferagent.lab.edge.tunnels import Tunnels

PLACE = "lab01"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who registered: which tunnel, which connector process, which of its connections."""

    tunnel_id: str
    client_id: str
    index: int
    version: str
    arch: str
    features: tuple[str, ...]


class TunnelConnection:
    def __init__(self, link: Link, tunnels: "Tunnels") -> None:
        self.link = link
        self.tunnels = tunnels
        self.id = str(uuid.uuid4())
        self.identity: Identity | None = None
        self.opened_at = ""
        self.leaving = False
        self.in_use = 0
        self.config_answer: dict[str, Any] = {}

    async def run(self) -> None:
        """From the accepted link to its end."""
        try:
            control = self.link.open(_internal(b"GET", CONTROL_STREAM))
        except StreamFailedError:
            return
        async with asyncio.TaskGroup() as tasks:
            pings = tasks.create_task(self._ping())
            async with rpc_stream(control) as (transport, over):
                server = capnp.TwoPartyServer(transport, bootstrap=Registrar(self))
                await asyncio.wait([over])
                server.close()
            self.leave()
            await self.link.closed
            pings.cancel()

    def open(self, headers: Headers, *, end: bool) -> Stream:
        """Open a stream for a request. Raises LinkClosedError."""
        return self.link.open(headers, end=end)

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """While a request is in flight the connection is not closed, whatever its connector asked."""
        self.in_use += 1
        try:
            yield
        finally:
            self.in_use -= 1
            self._close_when_done()

    def leave(self) -> None:
        """No new streams; closed as soon as none is open."""
        if not self.leaving:
            self.leaving = True
            self.tunnels.forget(self)
        self._close_when_done()

    async def push(self, version: int, config: dict[str, Any]) -> None:
        """Hand over a configuration; the connector's word on it is kept in `config_answer`."""
        body = json.dumps({"version": version, "config": config}).encode()
        try:
            stream = self.open(_internal(b"POST", UPDATE_CONFIGURATION), end=False)
            await stream.send(body, end=True)
            await stream.head()
            answer = b""
            while data := await stream.read():
                answer += data
        except StreamFailedError:
            return
        with contextlib.suppress(ValueError):
            self.config_answer = json.loads(answer)

    def _close_when_done(self) -> None:
        if self.leaving and not self.in_use:
            # The answer to unregister is still on its way through the RPC stream.
            asyncio.get_running_loop().call_later(0.05, self.link.close)

    async def _ping(self) -> None:
        settings = self.tunnels.settings
        if not settings.ping_s or not settings.dead_s:
            return
        with contextlib.suppress(StreamFailedError):
            while True:
                await asyncio.sleep(settings.ping_s)
                try:
                    async with asyncio.timeout(settings.dead_s):
                        await self.link.ping()
                except TimeoutError:
                    self.link.abort()
                    return


class Registrar(SCHEMA.Registry.Server):  # type: ignore[misc]
    """The edge's side of the registration interface, one for each connection."""

    def __init__(self, connection: TunnelConnection) -> None:
        self.connection = connection

    async def enter(self, proof: Any, tunnel: Any, slot: Any, about: Any, **_: Any) -> Any:
        program, raw = about.program, bytes(tunnel)
        identity = Identity(
            tunnel_id=str(uuid.UUID(bytes=raw)) if len(raw) == 16 else "",
            client_id=_client(bytes(program.id)),
            index=int(slot),
            version=str(program.version),
            arch=str(program.platform),
            features=tuple(str(feature) for feature in program.features),
        )
        account, secret = str(proof.account), bytes(proof.secret)
        why = self.connection.tunnels.register(self.connection, identity, account, secret)
        answer = SCHEMA.Answer.new_message()
        if why:
            refusal = answer.word.init("no")
            refusal.why, refusal.again = why, False
            self.connection.leave()
        else:
            welcome = answer.word.init("yes")
            welcome.connection = uuid.UUID(self.connection.id).bytes
            welcome.place, welcome.managed = PLACE, True
        return answer

    async def leave(self, **_: Any) -> None:
        self.connection.leave()

    async def describe(self, config: Any, **_: Any) -> None:
        """A connector with rules of its own tells them; here nobody asks for them."""
        del config


def _internal(method: bytes, upgrade: bytes) -> Headers:
    return [
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", b"edge.invalid"),
        (b":path", b"/"),
        (UPGRADE, upgrade),
    ]


def _client(raw: bytes) -> str:
    return str(uuid.UUID(bytes=raw)) if len(raw) == 16 else raw.hex()
