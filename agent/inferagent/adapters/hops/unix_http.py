"""A question to the agent over its unix socket, within a deadline."""

import asyncio
import json
from pathlib import Path
from typing import Any

import h11

from inferagent.adapters.files import why
from inferagent.adapters.http_exchange import exchanged
from inferagent.ports import PortError


async def get(path: Path, target: str, timeout: float) -> dict[str, Any]:
    """The JSON object of a 200; PortError for anything else."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                headers = [("Host", "localhost"), ("Connection", "close")]
                request = h11.Request(method="GET", target=target, headers=headers)
                answer = await exchanged(reader, writer, request)
            finally:
                writer.transport.abort()
    except TimeoutError:
        raise PortError(f"cannot reach the agent at {path}: it does not answer") from None
    except OSError as error:
        raise PortError(f"cannot reach the agent at {path}: {why(error).lower()}") from error
    except h11.RemoteProtocolError as error:
        raise PortError(f"cannot understand the agent at {path}: {error}") from error
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if answer.status != 200 or not isinstance(document, dict):
        raise PortError(f"cannot understand the agent at {path}: it answers {answer.status}")
    return document
