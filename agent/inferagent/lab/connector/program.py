"""The program: start, wait for a signal, leave in an orderly way within the grace period."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import ssl
from pathlib import Path

from inferagent.lab.connector import names
from inferagent.lab.connector.backoff import Backoff
from inferagent.lab.connector.ingress import Configuration
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.metrics import Metrics
from inferagent.lab.connector.options import VERSION, EarlyExitError, Options, Token
from inferagent.lab.connector.origin import Origins
from inferagent.lab.connector.status import StatusServer
from inferagent.lab.connector.tunnel import Connection, Shared
from inferagent.lab.wire.rpc import rpc_loop

MOST_CONNECTIONS = 4
BETWEEN_S = 1.0


async def run(options: Options, configuration: Configuration | None = None) -> int:
    """Exit code 0, also when streams were cut. Raises EarlyExitError. `configuration` takes the pushes."""
    log = Log(as_json=options.json_logs)
    token = options.token
    assert token is not None
    _greet(options, log, str(token.tunnel))
    if not options.edge:
        raise EarlyExitError(1, "cannot find an edge: give --edge HOST:PORT")
    async with rpc_loop():
        shared = _shared(options, token, log, configuration or Configuration())
        log.info(f"Generated Connector ID: {shared.connector_id}")
        log.warn("No ingress rules were defined yet: 503 until a configuration comes")
        log.info("Initial protocol http2")
        connections: list[Connection] = []
        status = StatusServer(options, shared, connections)
        try:
            address = await status.listen()
            log.info(f"Starting metrics server on {address}/metrics")
            connections += await _connections(options, shared)
            if len(connections) < MOST_CONNECTIONS:
                log.info(
                    f"You requested {MOST_CONNECTIONS} HA connections, there are {len(connections)} addresses"
                )
            _on_signals(shared)
            await _serve(options, shared, connections)
            for connection in connections:
                log.error("Connection terminated", connIndex=connection.index)
            log.error("no more connections active and exiting")
            log.info("Tunnel server stopped")
        finally:
            await shared.origins.close()
            await status.close()
            log.info("Metrics server stopped")
    return 0


def _greet(options: Options, log: Log, tunnel: str) -> None:
    """The messages of a start, each under the first words of the real one."""
    log.info("Starting tunnel", tunnelID=tunnel)
    log.info("Cannot determine default configuration path: there is none in the lab")
    log.info(f"Version {VERSION} (inferagent lab stand-in)")
    log.info("GOOS: linux, a stand-in without Go")
    log.info(f"Settings: {dict(options.shown)}")


async def _connections(options: Options, shared: Shared) -> list[Connection]:
    """One to each address; names are looked up once, now. Raises EarlyExitError."""
    found = await asyncio.to_thread(names.looked_up, options.edge, options.name_server, shared.log)
    chance = random.Random()
    return [
        Connection(index, address, shared, Backoff(options.retries, chance))
        for index, address in enumerate(found[:MOST_CONNECTIONS])
    ]


async def _serve(options: Options, shared: Shared, connections: list[Connection]) -> None:
    async with asyncio.TaskGroup() as group:
        running = {connection: group.create_task(connection.run()) for connection in connections[:1]}
        others = group.create_task(_start_others(options, connections, running, group))
        await asyncio.wait([shared.stopping])
        others.cancel()
        for connection, task in running.items():
            if not connection.registered_once.is_set():
                task.cancel()
        await asyncio.wait(list(running.values()), timeout=options.grace_s)
        for task in running.values():
            task.cancel()


async def _start_others(
    options: Options,
    connections: list[Connection],
    running: dict[Connection, "asyncio.Task[None]"],
    group: asyncio.TaskGroup,
) -> None:
    """The first connection proves the way; then the rest, a second apart."""
    await connections[0].registered_once.wait()
    _notify_ready()
    _write_pid(options.pidfile)
    for connection in connections[1:]:
        running[connection] = group.create_task(connection.run())
        await asyncio.sleep(BETWEEN_S)


def _shared(options: Options, token: Token, log: Log, configuration: Configuration) -> Shared:
    try:
        context = ssl.create_default_context(cafile=options.cacert or None)
    except OSError as error:
        raise EarlyExitError(1, f"cannot read the CA certificate: {error}") from error
    metrics = Metrics()
    return Shared(
        token=token,
        context=context,
        configuration=configuration,
        metrics=metrics,
        origins=Origins(configuration, metrics, log),
        log=log,
        stopping=asyncio.get_running_loop().create_future(),
    )


def _on_signals(shared: Shared) -> None:
    """The first signal asks for an orderly end; the handlers then go, so that the second one kills."""
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        shared.log.info(f"Initiating graceful shutdown due to signal {name} ...")
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        shared.stopping.set_result(None)

    loop.add_signal_handler(signal.SIGTERM, stop, "terminated")
    loop.add_signal_handler(signal.SIGINT, stop, "interrupt")


def _notify_ready() -> None:
    """READY=1, said once, and the only word that systemd ever gets."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("\0" + path[1:] if path.startswith("@") else path)
            sock.send(b"READY=1")


def _write_pid(path: str) -> None:
    if path:
        Path(path).write_text(str(os.getpid()))
