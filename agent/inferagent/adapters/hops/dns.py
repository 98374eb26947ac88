"""One question to one name server over UDP: addresses of a name, or its name servers.

Messages as in RFC 1035; only what doctor needs: A, AAAA, CNAME and NS, names with compression.
"""

import asyncio
import ipaddress
import secrets
import struct
from dataclasses import dataclass

from inferagent.ports import PortError

A, NS, CNAME, AAAA = 1, 2, 5, 28
LONGEST = 4096
JUMPS = 16  # compression pointers followed in one name
NO_SUCH_NAME = 3
RCODES = {1: "it found the question malformed", 2: "it failed (SERVFAIL)", 5: "it refused"}

_HEADER = struct.Struct(">HHHHHH")
_RECORD = struct.Struct(">HHIH")


@dataclass(frozen=True, slots=True)
class Record:
    """`data` is an address or a name, as text."""

    name: str
    kind: int
    data: str


class NoSuchNameError(PortError):
    """The server knows that there is no such name."""


async def ask(server: tuple[str, int], name: str, kind: int, timeout: float) -> tuple[Record, ...]:
    """The answer's records, of whatever kind; () where the name has none of that kind.

    NoSuchNameError, or PortError where no answer came within `timeout` seconds.
    """
    place = f"{server[0]}:{server[1]}"
    number = secrets.randbelow(1 << 16)
    try:
        async with asyncio.timeout(timeout):
            raw = await _exchange(server, _question(number, name, kind), number)
    except TimeoutError:
        raise PortError(f"cannot resolve {name}: the name server {place} does not answer") from None
    except OSError as error:
        raise PortError(f"cannot resolve {name}: the name server {place}: {error}") from error
    try:
        return _read(raw, name, place)
    except (struct.error, IndexError, ValueError) as error:
        raise PortError(f"cannot resolve {name}: the answer of {place} cannot be read") from error


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self, number: int) -> None:
        self.number = number
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        ours = len(data) >= _HEADER.size and data[:2] == struct.pack(">H", self.number) and data[2] & 0x80
        if ours and not self.answer.done():
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _exchange(server: tuple[str, int], message: bytes, number: int) -> bytes:
    loop = asyncio.get_running_loop()
    transport, inbox = await loop.create_datagram_endpoint(lambda: _Inbox(number), remote_addr=server)
    try:
        while True:
            transport.sendto(message)
            done, _ = await asyncio.wait({inbox.answer}, timeout=1.0)
            if done:
                return inbox.answer.result()
    finally:
        transport.close()


def _question(number: int, name: str, kind: int) -> bytes:
    labels = [label.encode("idna") for label in name.rstrip(".").split(".")]
    wire = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return _HEADER.pack(number, 0x0100, 1, 0, 0, 0) + wire + struct.pack(">HH", kind, 1)


def _read(raw: bytes, name: str, place: str) -> tuple[Record, ...]:
    _, flags, questions, answers, *_ = _HEADER.unpack_from(raw)
    code = flags & 0xF
    if code == NO_SUCH_NAME:
        raise NoSuchNameError(f"cannot resolve {name}: there is no such name (NXDOMAIN)", refused=True)
    if code:
        raise PortError(f"cannot resolve {name}: the name server {place}: {RCODES.get(code, code)}")
    at = _HEADER.size
    for _ in range(questions):
        at = _name(raw, at)[1] + 4
    found = []
    for _ in range(answers):
        record, at = _record(raw, at)
        if record is not None:
            found.append(record)
    return tuple(found)


def _record(raw: bytes, at: int) -> tuple[Record | None, int]:
    owner, at = _name(raw, at)
    kind, _, _, length = _RECORD.unpack_from(raw, at)
    at += _RECORD.size
    data = raw[at : at + length]
    if kind in (A, AAAA):
        text = str(ipaddress.ip_address(data))
    elif kind in (CNAME, NS):
        text = _name(raw, at)[0]
    else:
        return None, at + length
    return Record(owner, kind, text), at + length


def _name(raw: bytes, at: int) -> tuple[str, int]:
    """The name that begins there, and where the next field begins."""
    labels: list[str] = []
    end = -1
    for _ in range(JUMPS * 16):
        length = raw[at]
        if length & 0xC0 == 0xC0:
            end = at + 2 if end < 0 else end
            at = (length & 0x3F) << 8 | raw[at + 1]
        elif length == 0:
            return ".".join(labels), (at + 1 if end < 0 else end)
        else:
            labels.append(raw[at + 1 : at + 1 + length].decode("ascii", "replace").lower())
            at += 1 + length
    raise ValueError("a name without an end")
