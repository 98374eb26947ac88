"""An OpenPGP key file (RFC 4880) as far as trust needs it: armour on and off, fingerprints.

Done here because a small host has no gpg; what the keys sign is checked by apt and rpm themselves.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from inferagent.ports import PortError

PUBLIC_KEY = 6  # the tag of a primary key; 14 is a subkey, which its primary key answers for
_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[!-~][^\r\n]*: [^\r\n]*\r?\n)*\r?\n(.*?)-----END PGP",
    re.DOTALL,
)


class _BadKeyError(Exception):
    """These bytes are no key."""


def binary(content: bytes) -> bytes:
    """The packets, without armour."""
    if not content.lstrip().startswith(b"-----BEGIN"):
        return content
    found = b""
    for block in _ARMOUR.findall(content):
        body = b"".join(line for line in block.split() if not line.startswith(b"="))
        try:
            found += base64.b64decode(body, validate=True)
        except binascii.Error:
            return b""
    return found


def armoured(packets: bytes) -> bytes:
    """As rpm wants it."""
    text = base64.b64encode(packets).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    check = base64.b64encode(_crc24(packets).to_bytes(3, "big")).decode()
    head, tail = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return "\n".join([head, "", *lines, f"={check}", tail, ""]).encode()


def _crc24(data: bytes) -> int:
    found = 0xB704CE
    for byte in data:
        found ^= byte << 16
        for _ in range(8):
            found <<= 1
            if found & 0x1000000:
                found ^= 0x1864CFB
    return found


def fingerprints(packets: bytes) -> list[str]:
    """Of each primary key, in capitals; [] where the bytes are no key that can be understood."""
    try:
        return [_fingerprint(body) for tag, body in _packets(packets) if tag == PUBLIC_KEY]
    except (_BadKeyError, IndexError):
        return []


def _fingerprint(body: bytes) -> str:
    if body[0] != 4:
        raise _BadKeyError
    return hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper()  # noqa: S324


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and body of each."""
    at = 0
    while at < len(data):
        head = data[at]
        if not head & 0x80:
            raise _BadKeyError
        tag, size, at = _new_head(data, at) if head & 0x40 else _old_head(data, at)
        if at + size > len(data):
            raise _BadKeyError
        yield tag, data[at : at + size]
        at += size


def _old_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Tag, length, and where the body begins."""
    tag, kind = data[at] >> 2 & 0x0F, data[at] & 0x03
    if kind == 3:  # until the end of the file: no key is written so
        raise _BadKeyError
    wide = 1 << kind
    return tag, int.from_bytes(data[at + 1 : at + 1 + wide], "big"), at + 1 + wide


def _new_head(data: bytes, at: int) -> tuple[int, int, int]:
    tag, first = data[at] & 0x3F, data[at + 1]
    if first < 192:
        return tag, first, at + 2
    if first < 224:
        return tag, (first - 192 << 8) + data[at + 2] + 192, at + 3
    if first < 255:  # in pieces: no key is written so
        raise _BadKeyError
    return tag, int.from_bytes(data[at + 2 : at + 6], "big"), at + 6


def trusted(content: bytes, url: str, expected: tuple[str, ...]) -> bytes:
    """The packets of the file, whose keys are all expected ones; else PortError."""
    packets = binary(content)
    found = fingerprints(packets)
    wanted = {text.replace(" ", "").upper() for text in expected}
    if not found:
        raise PortError(f"cannot trust {url}: what comes from there is no OpenPGP key", refused=True)
    strange = [one for one in found if one not in wanted]
    if strange:
        raise PortError(
            f"cannot trust {url}: its key has the fingerprint {strange[0]}, expected "
            f"{' or '.join(sorted(wanted))} → look the new one up at a second place, then write it into "
            "install.toml: fingerprints under [cloudflared]",
            refused=True,
        )
    return packets
