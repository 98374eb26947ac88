"""The lab's name server at port 53 of a loopback address: where the resolver of a real program looks for one.

A program asks there by a resolv.conf of its own (`cage`). That and the port need root.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from tests.matrix.cage import agent_prefix, in_place_of

ADDRESS, PORT = "127.0.53.{}", 53
SETTINGS = "options timeout:1 attempts:1\n"
SYSTEMS = Path("/etc/resolv.conf")


@dataclass
class NameRelay(asyncio.DatagramProtocol):
    """Questions go on to `server`, HOST:PORT, and its answers back; where it is silent, so is this."""

    server: str
    address: str = ""
    _asked: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    _ends: list[asyncio.DatagramTransport] = field(default_factory=list)

    async def listen(self, port: int = PORT) -> None:
        """At the first loopback address where that port is free. Raises OSError."""
        loop = asyncio.get_running_loop()
        host, _, there = self.server.rpartition(":")
        for last in range(1, 255):
            try:
                end, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=(ADDRESS.format(last), port)
                )
            except PermissionError:
                raise
            except OSError:
                continue
            out, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(self), remote_addr=(host, int(there))
            )
            self._ends = [end, out]
            self.address = ADDRESS.format(last)
            return
        raise OSError(f"cannot listen at port {port} of any address {ADDRESS.format('N')}")

    def close(self) -> None:
        for end in self._ends:
            end.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._asked[data[:2]] = addr  # by the question's number: enough for one program's questions
        self._ends[1].sendto(data)

    def answered(self, data: bytes) -> None:
        if (asker := self._asked.pop(data[:2], None)) is not None:
            self._ends[0].sendto(data, asker)

    def seen_by(self, command: tuple[str, ...], file: Path) -> tuple[str, ...]:
        """The command of a program that asks here instead of where the system's own file says."""
        file.write_text(f"nameserver {self.address}\n{SETTINGS}")
        return (*agent_prefix(in_place_of(SYSTEMS, file)), *command)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, relay: NameRelay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        self._relay.answered(data)
