"""Whether root may act on what a file says: whoever can write there would be root."""

import os
import stat
from pathlib import Path

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def mistrust(place: Path) -> str:
    """ "" or why a file or folder is not to be trusted, with the cure; one that is not there says nothing."""
    if not place.exists():
        return ""
    found = place.stat()
    if found.st_uid == os.geteuid() and not found.st_mode & WRITABLE_BY_OTHERS:
        return ""
    cure = f"sudo chown root {place} && sudo chmod go-w {place}"
    return f"cannot trust {place}: others than root may change it → {cure}"
