"""The ready program and the GPU probe, which outlive the agent: started by it, or by systemd.

Under systemd (INFERAGENT_SUPERVISED=systemd, set by the agent's unit) the agent only sees whether they are
there; a single look that finds nobody may have come between two starts. An engine that is a child of the
agent lives in the cage of the agent's unit then, which is said.
"""

import asyncio
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from inferagent.adapters import pids
from inferagent.adapters.gpu.leave import hold_lock, says_absent
from inferagent.adapters.units.main import Main, attach
from inferagent.config.settings import OWN_ENGINE
from inferagent.ports import PortError
from inferagent.programs import gpu_probe_starter, ready_starter

VARIABLE = "INFERAGENT_SUPERVISED"
READY, PROBE = "inferagent-ready.socket", "inferagent-probe.service"
TRIES, PAUSE = 3, 0.5  # looks for the ready program, seconds between two: systemd may be starting it
CAGED = (
    "the engine runs in the cage of the agent's own unit (no GPU devices, no code made at run time, 512 MiB):"
    f' write unit = "{OWN_ENGINE}" beside its command, sudo systemctl enable --now {OWN_ENGINE},'
    " and restart the agent"
)


class Helpers:
    """What is wrong with them stands in `troubles` until it is over."""

    def __init__(
        self,
        run: Path,
        troubles: MutableMapping[str, str],
        environ: Mapping[str, str] = os.environ,
        *,
        engine_is_child: bool = False,
    ) -> None:
        self._run, self._troubles = run, troubles
        self._systemd = environ.get(VARIABLE) == "systemd"
        self._missed = False
        self._ready: Main | None = None
        if self._systemd and engine_is_child:
            troubles["engine-in-cage"] = CAGED

    async def look(self, port: int, engine: str) -> None:
        """Start or miss each of them. `engine` is HOST:PORT, `port` that of the ready URL."""
        try:
            await (_see_ready(port) if self._systemd else self._ensure_ready(port, engine))
            self._troubles["no-ready-program"] = ""  # only now: while it is tried again, it is still missing
        except PortError as problem:
            self._troubles["no-ready-program"] = str(problem)
        try:
            if self._systemd:
                self._see_probe()
            else:
                gpu_probe_starter.ensure(self._run)
            self._troubles["no-gpu-probe"] = ""
        except PortError as problem:
            self._troubles["no-gpu-probe"] = str(problem)

    async def _ensure_ready(self, port: int, engine: str) -> None:
        if self._ready is not None and not (self._run / ready_starter.RECORD).exists():
            ready_starter.note(self._run, self._ready.who, port, engine)
        pid = await ready_starter.ensure(self._run, port, engine)
        who = pids.identify(pid)
        if who is not None and (self._ready is None or self._ready.who != who):
            self._ready = attach(pids.Family(who, ""), lambda _code: None)

    async def rest(self, seconds: float) -> None:
        """Until the next look; at once when the ready program ends that this one started: till then the
        monitor finds nobody."""
        if self._ready is None:
            await asyncio.sleep(seconds)
        elif await self._ready.gone(seconds):
            self._ready = None

    def _see_probe(self) -> None:
        missed, self._missed = self._missed, not probe_lives(self._run)
        if missed and self._missed:
            raise PortError(f"cannot read the GPUs: sudo systemctl start {PROBE}")


def probe_lives(run: Path) -> bool:
    """It holds its lock while it lives; where there is no GPU, it has said so and may rest."""
    try:
        handle = hold_lock(run)
    except OSError:
        return True  # another user's: somebody's probe
    if handle is not None:
        os.close(handle)
    return handle is None or says_absent(run)


async def _see_ready(port: int) -> None:
    for _ in range(TRIES):
        if await ready_starter.answers(port):
            return
        await asyncio.sleep(PAUSE)
    cure = f"sudo systemctl start {READY}, which must have ListenStream=127.0.0.1:{port}"
    raise PortError(f"cannot reach the ready URL: {cure}")
