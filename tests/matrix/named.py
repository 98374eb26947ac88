"""What ran at the struck host, in words that a results file may keep: versions, no paths."""

import asyncio
from functools import cache

from tests.real.programs import KINDS, find, version

from inferagent.lab.demo.host import Host


async def named(host: Host) -> list[str]:
    """Engine and connector: what the stand-in says of itself, or the real program with its version."""
    parts = ((host.engine.kind, host.engine), ("cloudflared", host.connector))
    return [await asyncio.to_thread(_real, kind) if part.real else part.about for kind, part in parts]


@cache
def _real(kind: str) -> str:
    program = find(KINDS[kind])
    return f"real {KINDS[kind].title} {version(program) if program else '?'}"
