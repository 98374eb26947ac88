"""One group more on a file's access list, which its owner may add without belonging to that group.

The list as the kernel keeps it in `system.posix_acl_access`: a version, then tag, permission and number of
each entry (acl(5); include/uapi/linux/posix_acl_xattr.h).
"""

import os
import struct
from pathlib import Path

ATTRIBUTE = "system.posix_acl_access"
VERSION, NOBODY = 2, 0xFFFFFFFF
OWNER, OWN_GROUP, GROUP, MASK, OTHERS = 0x01, 0x04, 0x08, 0x10, 0x20
READ_WRITE = 6
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")


def give_to_group(path: Path, gid: int) -> None:
    """Owner and that group read and write, nobody else. OSError where the file system keeps no lists."""
    entries = [
        (OWNER, READ_WRITE, NOBODY),
        (OWN_GROUP, 0, NOBODY),
        (GROUP, READ_WRITE, gid),
        (MASK, READ_WRITE, NOBODY),
        (OTHERS, 0, NOBODY),
    ]
    os.setxattr(path, ATTRIBUTE, _HEAD.pack(VERSION) + b"".join(_ENTRY.pack(*entry) for entry in entries))


def groups(path: Path) -> list[int]:
    """The groups that the list lets read and write; empty without one, or where it cannot be read."""
    try:
        kept = os.getxattr(path, ATTRIBUTE)
    except OSError:
        return []
    whole = len(kept) - (len(kept) - _HEAD.size) % _ENTRY.size
    entries = _ENTRY.iter_unpack(kept[_HEAD.size : whole])
    return [number for tag, may, number in entries if tag == GROUP and may == READ_WRITE]
