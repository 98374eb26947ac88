"""A name server on loopback: the account's load balancers and proxied records, and the edge's own names.

A name that is not proxied gives its CNAME alone; any other name there is not (NXDOMAIN).
"""

import asyncio
import ipaddress
import struct
from collections.abc import Callable
from typing import Any, Literal

Object = dict[str, Any]
Say = Literal["answer", "silence", "failure"]
A, CNAME, AAAA = 1, 5, 28
REGIONS = ("region1.v2.argotunnel.com", "region2.v2.argotunnel.com")
SERVFAIL, NXDOMAIN = 2, 3
TTL = 30

_HEADER = struct.Struct(">HHHHHH")


class NameServer(asyncio.DatagramProtocol):
    """`balancers` and `records` give what stands in the account now; `regions` are the edge's addresses."""

    def __init__(
        self,
        balancers: Callable[[], list[Object]],
        records: Callable[[], list[Object]],
        regions: tuple[str, ...],
        address: str = "127.0.0.1",
    ) -> None:
        self.say: Say = "answer"
        self.port = 0
        self._balancers, self._records = balancers, records
        self._regions = dict(zip(REGIONS, regions, strict=False))
        self._address = address
        self._transport: asyncio.DatagramTransport | None = None

    async def listen(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", port))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        if self._transport:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if self.say == "silence" or self._transport is None or len(data) < _HEADER.size:
            return
        name, end = _name(data, _HEADER.size)
        kind = struct.unpack_from(">H", data, end)[0]
        question = data[_HEADER.size : end + 4]
        code, answers = (SERVFAIL, []) if self.say == "failure" else self._look_up(name, kind)
        number = struct.unpack_from(">H", data)[0]
        head = _HEADER.pack(number, 0x8180 | code, 1, len(answers), 0, 0)
        self._transport.sendto(head + question + b"".join(answers), addr)

    def _look_up(self, name: str, kind: int) -> tuple[int, list[bytes]]:
        if name in self._regions:
            return 0, [_address(self._regions[name])] if kind == A else []
        if any(balancer.get("name") == name and balancer.get("proxied") for balancer in self._balancers()):
            return 0, [_address(self._address)] if kind == A else []
        for record in self._records():
            if record.get("name") == name and record.get("type") == "CNAME":
                if not record.get("proxied"):
                    return 0, [_record(CNAME, _wire(str(record.get("content", ""))))]
                return 0, [_address(self._address)] if kind == A else []
        return NXDOMAIN, []


def _name(data: bytes, at: int) -> tuple[str, int]:
    labels = []
    while data[at]:
        labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii", "replace").lower())
        at += 1 + data[at]
    return ".".join(labels), at + 1


def _wire(name: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"


def _address(text: str) -> bytes:
    return _record(A, ipaddress.IPv4Address(text).packed)


def _record(kind: int, data: bytes) -> bytes:
    """Of the name in the question, by a pointer to it."""
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, TTL, len(data)) + data
