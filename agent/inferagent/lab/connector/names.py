"""The edge's names, looked up once at the start: a program that finds none ends, as the real one does."""

import ipaddress
import socket
import struct

from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.options import EarlyExitError

Address = tuple[str, int]
TIMEOUT = 1.0  # seconds that one question may take
A, INTERNET = 1, 1
POINTER = 0xC0

_HEADER, _RECORD = struct.Struct(">HHHHHH"), struct.Struct(">HHIH")


def looked_up(edge: tuple[Address, ...], server: str, log: Log) -> list[Address]:
    """The addresses of what has one; `server` HOST:PORT instead of the system's. Raises EarlyExitError."""
    found = [(address, port) for name, port in edge if (address := _address(name, server, log))]
    if not found:
        raise EarlyExitError(1, "cannot find any address of the edge: its names are not known here")
    return found


def _address(name: str, server: str, log: Log) -> str:
    """ "" for a name that nobody knows."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return ask(name, server) if server else socket.gethostbyname(name)
    except OSError as error:
        log.error("edge discovery: failed to resolve to TCP address", address=name, error=str(error))
        return ""


def ask(name: str, server: str, timeout: float = TIMEOUT) -> str:
    """The first IPv4 address by that name server. Raises OSError, TimeoutError for silence."""
    host, _, port = server.rpartition(":")
    question = b"".join(bytes((len(part),)) + part.encode() for part in name.split(".")) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect((host, int(port)))
        sock.send(_HEADER.pack(1, 0x0100, 1, 0, 0, 0) + question + struct.pack(">HH", A, INTERNET))
        return _first_address(sock.recv(4096), name)


def _first_address(answer: bytes, name: str) -> str:
    try:
        _, flags, _, count, _, _ = _HEADER.unpack_from(answer)
        at = _past_name(answer, _HEADER.size) + 4
        for _ in range(count):
            kind, _, _, size = _RECORD.unpack_from(answer, at := _past_name(answer, at))
            at += _RECORD.size + size
            if kind == A:
                return str(ipaddress.IPv4Address(answer[at - size : at]))
    except (struct.error, IndexError, ValueError) as error:
        raise OSError(f"cannot read the answer for {name}: {error}") from None
    raise OSError(f"cannot find {name}: the name server says {flags & 15}")


def _past_name(data: bytes, at: int) -> int:
    while data[at]:
        if data[at] >= POINTER:
            return at + 2
        at += 1 + data[at]
    return at + 1
