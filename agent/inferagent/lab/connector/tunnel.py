"""One connection to the edge: dial, register, serve, unregister; dialled again for ever when it breaks."""

import asyncio
import contextlib
import ssl
import uuid
from dataclasses import dataclass, field
from typing import Any

import capnp

from inferagent.lab.connector.backoff import Backoff
from inferagent.lab.connector.configure import take_push
from inferagent.lab.connector.ingress import Configuration
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.metrics import Metrics
from inferagent.lab.connector.options import VERSION, Token
from inferagent.lab.connector.origin import Origins
from inferagent.lab.wire.headers import CONTROL_STREAM, SERVER_NAME, UPDATE_CONFIGURATION, UPGRADE
from inferagent.lab.wire.link import Link
from inferagent.lab.wire.rpc import SCHEMA, RpcError, rpc_stream
from inferagent.lab.wire.stream import Headers, Stream, StreamFailedError

DIAL_S = 15.0
REGISTER_S = 5.0
FEATURES = ["allow_remote_config", "serialized_headers"]


@dataclass(slots=True)
class Shared:
    """What all connections of the program have in common. `stopping` is done when the program shall end."""

    token: Token
    context: ssl.SSLContext
    configuration: Configuration
    metrics: Metrics
    origins: Origins
    log: Log
    stopping: asyncio.Future[None]
    connector_id: uuid.UUID = field(default_factory=uuid.uuid4)


class Connection:
    def __init__(self, index: int, address: tuple[str, int], shared: Shared, backoff: Backoff) -> None:
        self.index, self.address, self.shared = index, address, shared
        self.connected = False
        self.registered_once = asyncio.Event()
        self._backoff = backoff
        self._tasks: asyncio.TaskGroup | None = None
        self._accepted = False  # the edge has registered the present connection

    async def run(self) -> None:
        """Returns only after a stop; whatever else ends a connection is tried again."""
        shared = self.shared
        shared.metrics.ha_connections += 1
        try:
            while not shared.stopping.done():
                await self._dial_and_serve()
                bound = self._backoff.bound
                shared.log.info(f"Retrying connection in up to {bound:.0f}s", **self._facts())
                if shared.stopping.done():
                    return
                await asyncio.wait([shared.stopping], timeout=self._backoff.next())
        finally:
            shared.metrics.ha_connections -= 1

    async def _dial_and_serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._accepted = False
        try:
            async with asyncio.timeout(DIAL_S):
                _, link = await loop.create_connection(
                    lambda: Link(client=False, on_request=self._requested),
                    *self.address,
                    ssl=self.shared.context,
                    server_hostname=SERVER_NAME,
                    ssl_shutdown_timeout=1.0,
                )
        except (OSError, TimeoutError) as error:
            for said in ("Unable to establish connection with Cloudflare edge", "Serve tunnel error"):
                self.shared.log.error(said, error=repr(error), **self._facts())
            return
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await asyncio.shield(link.closed)
        finally:
            self.connected = False
            link.abort()
        if self._accepted and not self.shared.stopping.done():
            self._lost()

    def _lost(self) -> None:
        """What the real one says of a connection that the edge has closed."""
        log, closed = self.shared.log, "connection with edge closed"
        log.info("Lost connection with the edge", connIndex=self.index)
        log.warn("Serve tunnel error", error=closed, **self._facts())
        log.error("failed to serve incoming request", error="the control stream is gone")
        log.error("Connection terminated", connIndex=self.index, error=closed)

    def _requested(self, stream: Stream, headers: Headers) -> None:
        assert self._tasks is not None
        kind = dict(headers).get(UPGRADE)
        if kind == CONTROL_STREAM:
            self._tasks.create_task(self._control(stream))
        elif kind == UPDATE_CONFIGURATION:
            shared = self.shared
            self._tasks.create_task(take_push(stream, shared.configuration, shared.metrics, shared.log))
        else:
            task = self._tasks.create_task(self.shared.origins.serve(stream, headers))
            stream.on_fail = task.cancel

    async def _control(self, stream: Stream) -> None:
        with contextlib.suppress(StreamFailedError):
            stream.respond([(b":status", b"200")])
        async with rpc_stream(stream) as (transport, over):
            client = capnp.TwoPartyClient(transport)
            try:
                server = client.bootstrap().cast_as(SCHEMA.Registry)
                if await self._register(server):
                    await asyncio.wait([over, self.shared.stopping], return_when=asyncio.FIRST_COMPLETED)
                    self.connected = False
                    if not over.done():
                        await server.leave()
                        self.shared.log.info("Unregistered tunnel connection", **self._facts())
            except (RpcError, TimeoutError) as error:
                self.shared.log.error("failed to serve incoming request", error=str(error), **self._facts())
                stream.link.close()
            finally:
                client.close()

    async def _register(self, server: Any) -> bool:
        shared = self.shared
        token = shared.token
        async with asyncio.timeout(REGISTER_S):
            reply = await server.enter(
                proof={"account": token.account, "secret": token.secret},
                tunnel=token.tunnel.bytes,
                slot=self.index,
                about={
                    "program": {
                        "id": shared.connector_id.bytes,
                        "features": FEATURES,
                        "version": VERSION,
                        "platform": "linux_amd64",
                    }
                },
            )
        word = reply.answer.word
        if word.which() == "no":
            shared.metrics.register_failed["server_error"] += 1
            why = str(word.no.why)
            shared.log.error("failed to serve incoming request", error=why)
            shared.log.error("Register tunnel error from server side", error=why, **self._facts())
            return False
        self._accepted = True
        self.connected = not shared.stopping.done()
        self.registered_once.set()
        self._backoff.reset()
        shared.metrics.registered += 1
        shared.metrics.locations[self.index] = str(word.yes.place)
        shared.log.info(
            "Registered tunnel connection",
            connection=str(uuid.UUID(bytes=bytes(word.yes.connection))),
            location=str(word.yes.place),
            protocol="http2",
            **self._facts(),
        )
        return True

    def _facts(self) -> dict[str, object]:
        return {"connIndex": self.index, "event": 0, "ip": self.address[0]}
