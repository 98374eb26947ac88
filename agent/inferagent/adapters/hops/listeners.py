"""Which addresses a TCP port of this host is open on: /proc/net/tcp and tcp6, lines in state LISTEN."""

import ipaddress
import struct
from pathlib import Path

from inferagent.adapters.files import why
from inferagent.ports import PortError

LISTEN = "0A"


def listening(port: int, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """The addresses, "0.0.0.0" and "::" for every one; () where nobody listens. PortError: unreadable."""
    found: dict[str, None] = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text("ascii").splitlines()[1:]
        except FileNotFoundError:
            continue
        except OSError as error:
            raise PortError(f"cannot read {proc / 'net' / name}: {why(error)}") from error
        for line in lines:
            words = line.split()
            address, _, number = words[1].partition(":")
            if words[3] == LISTEN and int(number, 16) == port:
                found[_address(address)] = None
    return tuple(found)


def _address(text: str) -> str:
    """Words of 32 bits in the byte order of this machine."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    raw = struct.pack(f"={len(words)}I", *words)
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def is_open(address: str) -> bool:
    """Whether others than this host can come in by it."""
    return not ipaddress.ip_address(address).is_loopback
