"""States of a host, each by real decisions over built readings; the text is what `inferagent status` shows.

Second 1000 of the boot is 12:07:11. A state is a function of that second, so that it can be looked at
several times.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.support import build
from tests.support.build import NOW

from inferagent.cli.render import render
from inferagent.model.desired import Desired, EngineKind, Terms
from inferagent.model.engine import EngineLook, Warmup
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.membership import MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import Reading, Value
from inferagent.model.saved import Saved
from inferagent.model.status import Status
from inferagent.model.tunnel import ConnectorLook, Ingress, Traffic
from inferagent.policy.decide import decide
from inferagent.runtime.desk import _finite
from inferagent.runtime.report import Scene, status

WALL = "2026-11-22T12:07:11+01:00"
NAME = "Qwen/Qwen3-8B"
TERMS = Terms(engine_names=(NAME,), engine_unit="vllm.service", connector_unit="cloudflared.service")
OLLAMA = Terms(EngineKind.OLLAMA, ("chat",), ("llama3:8b",))
GB = 10**9


@dataclass(frozen=True)
class State:
    """`see` gives the readings of a second; it is looked at `ticks` times, 2 s apart, at last at NOW."""

    see: Callable[[float], Observed]
    saved: Saved = field(default_factory=build.saved)
    desired: Desired = field(default_factory=lambda: Desired(TERMS))
    ticks: int = 1
    last_read: Reading[MembershipView] | None = None
    turned_at: float | None = None

    def document(self) -> Status:
        saved = self.saved
        for number in range(self.ticks):
            now = NOW - 2.0 * (self.ticks - 1 - number)
            observed = self.see(now)
            decision = decide(observed, self.desired, saved)
            saved = decision.saved
        pool = self.last_read or observed.membership
        return status(Scene("gpu-home", observed, self.desired, decision, pool, WALL, self.turned_at))


def shown(document: Status, *, colour: bool = False) -> str:
    """What a person sees, and with which code the command ends."""
    sent = json.loads(json.dumps(_finite(asdict(document))))
    return f"{render(sent, colour=colour)}[exit code {document.exit_code}]\n"


def val(value: Any, at: float) -> Value[Any]:
    return Value(value, at)


def engine(at: float, **fields: Any) -> EngineLook:
    return build.look(at, **({"models": val(frozenset({NAME}), at)} | fields))


def connector(at: float, **fields: Any) -> ConnectorLook:
    whole = ConnectorLook(
        val(4, at), val(Traffic(0, 0), at), val(Ingress(1, ()), at), val("", at), version="2026.8.2"
    )
    return replace(whole, **fields)


def gpu(index: int, fault: str = "", **fields: Any) -> Gpu:
    whole = Gpu(
        index,
        f"GPU-{index}",
        "NVIDIA L4",
        utilisation=val(3, NOW),
        memory_used=val(18 * GB, NOW),
        memory_total=val(24 * GB, NOW),
        temperature=val(61, NOW),
        fault=fault,
    )
    return replace(whole, **fields)


def well(now: float, **fields: Any) -> Observed:
    """A host that serves, with one peer."""
    whole = build.observed(
        now=now,
        engine_unit=val(build.unit(since=100.0), now),
        connector_unit=val(build.unit("c1", since=100.0), now),
        engine=engine(now),
        connector=connector(now),
        membership=val(build.view(build.PEER), now - 3),
        gpus=val(GpuReport((gpu(0),)), now),
        save=val(True, now),
    )
    return replace(whole, **fields)


def out(now: float, **fields: Any) -> Observed:
    """The same, read as disabled in the pool."""
    return well(now, **({"membership": val(build.out_view(), now - 3)} | fields))


def left(phase: Phase = Phase.OUT, *, since: float = NOW - 240, **fields: Any) -> Saved:
    """Out, or leaving, since so long, by a write that was read back; nothing in flight since."""
    return build.leaving(phase, left=since, **({"baseline": False} | fields))


def cold(**fields: Any) -> Any:
    """The memory of an engine that has not answered in this life."""
    return build.memory(**({"generation_ok_at": None, "accepted": False, "accepts": False} | fields))


def loading(now: float, loaded: int = 0, total: int = 0, cpu: float = 0.0) -> Observed:
    """A vLLM that reads its model."""
    ill = build.failed(now)
    read = val(Warmup(loaded, loaded, cpu, total, loaded), now)
    look = EngineLook(val(False, now), ill, ill, ill, build.NotAvailable(now), read)
    return out(now, engine=look, generation=build.failed(now))
