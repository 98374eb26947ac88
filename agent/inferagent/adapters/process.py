"""The one door to other programs: argv lists only, a deadline, a clean environment, each command logged.

`run` waits for a short command; `spawn` starts a program that outlives us, in a session of its own.
"""

import asyncio
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from inferagent.adapters.files import why
from inferagent.ports import PortError

_log = structlog.get_logger(__name__)

# Ours alone: a child that spoke in our name to systemd, or carried our keys about, would be a fault of ours.
_PRIVATE = re.compile(
    "(NOTIFY_SOCKET|MAINPID|INVOCATION_ID|JOURNAL_STREAM|CREDENTIALS_DIRECTORY|WATCHDOG_.*|LISTEN_.*"
    "|MEMORY_PRESSURE_.*|TUNNEL_TOKEN|TUNNEL_CRED.*|(CLOUDFLARE|CF)_(API_.*|EMAIL))"
)

_started: dict[int, "subprocess.Popen[bytes]"] = {}  # a child must be kept until it is reaped


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: bytes
    err: bytes


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own environment without what is ours alone, and with `extra`."""
    return {key: value for key, value in os.environ.items() if not _PRIVATE.fullmatch(key)} | dict(
        extra or {}
    )


def pasteable(argv: Sequence[str], cwd: Path | None = None) -> str:
    """The command as a person would type it."""
    return (f"cd {shlex.quote(str(cwd))} && " if cwd else "") + shlex.join(argv)


async def run(
    argv: Sequence[str], *, deadline: float, extra: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Done:
    """Run to the end, at most `deadline` seconds; what still runs then is killed with its whole session."""
    _log.debug("command", argv=pasteable(argv, cwd))
    with _said(argv):
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(extra),
            cwd=cwd,
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(deadline):
            out, err = await child.communicate()
    except TimeoutError as error:
        raise PortError(f"cannot finish {pasteable(argv)} within {deadline:g} s") from error
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    return Done(child.returncode or 0, out, err)


def spawn(
    argv: Sequence[str],
    *,
    extra: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    pass_fds: tuple[int, ...] = (),
) -> int:
    """Start a program that goes on when we end; its output is appended to `log`, or lost. Its pid."""
    _log.info("command", argv=pasteable(argv, cwd))
    with _said(argv), append(log or Path(os.devnull)) as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(extra),
            cwd=cwd,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    _started[child.pid] = child
    return child.pid


def append(log: Path) -> BinaryIO:
    """Opened for its owner alone: an engine's log may repeat what its users ask."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


def reap(pid: int) -> int | None:
    """The exit code of a child that `spawn` started and that has ended (−N: signal N); None otherwise."""
    child = _started.get(pid)
    code = child.poll() if child else None
    if code is not None:
        del _started[pid]
    return code


@contextmanager
def _said(argv: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PortError(f"cannot start {argv[0]}: {why(error)}", refused=True) from error
