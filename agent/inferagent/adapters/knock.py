"""Does anybody listen at a TCP port? Told from each address of the name by itself."""

import asyncio
import ipaddress
import socket
from typing import Any


async def listens(host: str, port: int) -> bool:
    """True when an address takes the connection, False when all refuse; OSError for anything else."""
    loop = asyncio.get_running_loop()
    for family, kind, proto, _, address in await _addresses(host, port):
        with socket.socket(family, kind, proto) as plug:
            plug.setblocking(False)
            try:
                await loop.sock_connect(plug, address)
            except ConnectionRefusedError:
                continue
            return True
    return False


async def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """A number needs no thread to be resolved: all of them may be waiting for a name server."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
