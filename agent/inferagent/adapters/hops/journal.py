"""The last lines of units in systemd's journal, by journalctl, within a deadline and a bound."""

import asyncio
from collections.abc import Sequence

from inferagent.ports import PortError

LONGEST = 1 << 19  # bytes; the newest of more


async def tail(units: Sequence[str], lines: int, timeout: float, journalctl: str = "journalctl") -> str:
    """Oldest first. PortError where there is no journal that may be read."""
    argv = [journalctl, "--no-pager", "--output", "short-iso", "--lines", str(lines), "--boot"]
    argv += [word for unit in units for word in ("--unit", unit)]
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise PortError(f"cannot run {journalctl}: {error.strerror}") from error
    try:
        async with asyncio.timeout(timeout):
            output, _ = await process.communicate()
    except TimeoutError:
        raise PortError(f"cannot read the journal: {journalctl} does not end") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise PortError(f"cannot read the journal: {journalctl} ended with {process.returncode}")
    return output[-LONGEST:].decode("utf-8", "replace")
