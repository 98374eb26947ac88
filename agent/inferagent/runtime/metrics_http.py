"""Metrics over HTTP at a loopback address, for a Prometheus on this host; a task beside the loop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping

from inferagent.ports import PortError
from inferagent.runtime.metrics import Metrics

TROUBLE = "metrics-not-served"
AGAIN = 30.0  # seconds until an address that is taken is tried again
PATIENCE = 5.0  # seconds for a whole request and its answer
LONGEST = 16 * 1024  # bytes of a request's head
MOST_CONNECTIONS = 8
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsServer:
    """`text` gives the metrics, or PortError while there are none."""

    def __init__(self, address: tuple[str, int], text: Callable[[], str]) -> None:
        self._address, self._text = address, text
        self._open = 0

    async def run(self, troubles: MutableMapping[str, str], again: float = AGAIN) -> None:
        """Until cancelled. An address that cannot be used is a trouble, and no reason to end."""
        host, port = self._address
        while True:
            try:
                server = await asyncio.start_server(
                    self._receive, host.strip("[]"), port, limit=LONGEST, reuse_address=True
                )
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                troubles[TROUBLE] = f"cannot serve metrics at {host}:{port}: {reason}"
                await asyncio.sleep(again)
                continue
            troubles[TROUBLE] = ""
            try:  # not server.serve_forever(): since Python 3.12 its end waits for whoever is connected
                await asyncio.Event().wait()
            finally:
                server.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        self._open += 1
        # whoever is gone, too slow, or sends too much is told nothing
        quiet = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        try:
            with contextlib.suppress(*quiet):
                async with asyncio.timeout(PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head))
                    await writer.drain()
        finally:
            self._open -= 1
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        if self._open > MOST_CONNECTIONS:
            return _response("503 Service Unavailable", "too many connections\n")
        if path != "/metrics":
            return _response("404 Not Found", "the only path is /metrics\n")
        if method not in ("GET", "HEAD"):
            return _response("405 Method Not Allowed", "use GET\n")
        try:
            return _response("200 OK", self._text(), whole=method == "GET")
        except PortError as problem:
            return _response("503 Service Unavailable", f"{problem}\n")


def metrics_tasks(
    address: tuple[str, int] | None, metrics: Metrics, troubles: MutableMapping[str, str]
) -> list[Callable[[], Awaitable[None]]]:
    """What is to run beside the loop: nothing where nobody is to be served."""
    if address is None:
        return []
    server = MetricsServer(address, metrics.text)
    return [lambda: server.run(troubles)]


def _response(status: str, text: str, *, whole: bool = True) -> bytes:
    body = text.encode()
    kind = TYPE if status.startswith("200") else "text/plain; charset=utf-8"
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode() + (body if whole else b"")
