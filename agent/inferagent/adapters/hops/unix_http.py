"""A question to the agent over its unix socket, within a deadline."""

import asyncio
import json
from pathlib import Path
from typing import Any

import h11

from inferagent.adapters.files import why
from inferagent.ports import PortError

LARGEST = 4 << 20
CHUNK = 1 << 16


async def get(path: Path, target: str, timeout: float) -> dict[str, Any]:
    """The JSON object of a 200; PortError for anything else."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                status, body = await _exchange(target, reader, writer)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise PortError(f"cannot reach the agent at {path}: it does not answer") from None
    except OSError as error:
        raise PortError(f"cannot reach the agent at {path}: {why(error).lower()}") from error
    except h11.RemoteProtocolError as error:
        raise PortError(f"cannot understand the agent at {path}: {error}") from error
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if status != 200 or not isinstance(document, dict):
        raise PortError(f"cannot understand the agent at {path}: it answers {status}")
    return document


async def _exchange(
    target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[int, bytes]:
    state = h11.Connection(h11.CLIENT)
    headers = [("Host", "localhost"), ("Connection", "close")]
    writer.write(state.send(h11.Request(method="GET", target=target, headers=headers)) or b"")
    state.send(h11.EndOfMessage())
    status, body = 0, b""
    while len(body) <= LARGEST:
        event = state.next_event()
        if event is h11.NEED_DATA:
            state.receive_data(await reader.read(CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        else:
            break
    return status, body
