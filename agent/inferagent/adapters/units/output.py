"""The log of a child unit: appended to by the child itself, kept within a bound by us.

The child holds the file open, so it is copied and cut, not renamed: lines written in between are lost.
"""

import os
import shutil
from pathlib import Path

from inferagent.adapters import process
from inferagent.adapters.files import why
from inferagent.ports import PortError


def trim(log: Path, bound: int) -> None:
    """Once `log` is longer than `bound` bytes, it becomes NAME.log.1 and begins anew."""
    try:
        if not log.exists() or log.stat().st_size <= bound:
            return
        with log.open("rb") as source, process.append(log.with_name(log.name + ".1")) as target:
            target.truncate(0)
            shutil.copyfileobj(source, target)
        os.truncate(log, 0)
    except OSError as error:
        raise PortError(f"cannot shorten {log}: {why(error)}") from error
