"""Does anybody listen at a TCP port? Told from each address of the name by itself."""

import asyncio
import socket


async def listens(host: str, port: int) -> bool:
    """True when an address takes the connection, False when all refuse; OSError for anything else."""
    loop = asyncio.get_running_loop()
    for family, kind, proto, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind, proto) as plug:
            plug.setblocking(False)
            try:
                await loop.sock_connect(plug, address)
            except ConnectionRefusedError:
                continue
            return True
    return False
