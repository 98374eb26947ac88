"""Facts for the tests of the policy: a healthy serving host at second 1000, each field to be changed."""

from dataclasses import replace
from typing import Any

from inferagent.model.desired import Desired, Terms
from inferagent.model.engine import EngineLook, Generation, Load, Outcome, Progress, Warmup
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.health import Cause, CauseKind
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, NotAvailable, Value
from inferagent.model.saved import Drain, Memory, Saved
from inferagent.model.tunnel import ConnectorLook, Ingress, Traffic
from inferagent.model.unit import Unit, UnitState
from inferagent.policy.facts import Facts

NOW = 1000.0
BOOT = "boot-1"


def val(value: Any, at: float = NOW) -> Value[Any]:
    return Value(value, at)


def failed(at: float = NOW) -> Failed:
    return Failed("cannot read", at)


def unit(incarnation: str = "e1", state: UnitState = UnitState.RUNNING, **fields: Any) -> Unit:
    return Unit(state, incarnation, main_pid=1 if incarnation else 0, **fields)


def dead(state: UnitState = UnitState.STOPPED, **fields: Any) -> Unit:
    return unit("", state, **fields)


def look(at: float = NOW, **fields: Any) -> EngineLook:
    """A vLLM that accepts, serves "chat" and has nothing to do."""
    whole = EngineLook(
        accepts=Value(True, at),
        models=Value(frozenset({"chat"}), at),
        progress=Value(Progress((("moves", 1.0),)), at),
        load=Value(Load(0, 0), at),
        lan=NotAvailable(at),
        warmup=NotAvailable(at),
    )
    return replace(whole, **fields)


def warming(at: float = NOW, read: int = 0) -> EngineLook:
    ill = failed(at)
    return EngineLook(Value(False, at), ill, ill, ill, NotAvailable(at), Value(Warmup(read, 0, 0.0), at))


def connector(at: float = NOW, **fields: Any) -> ConnectorLook:
    whole = ConnectorLook(Value(4, at), Value(Traffic(0, 0), at), Value(Ingress(1, ()), at), Value("", at))
    return replace(whole, **fields)


def endpoint(name: str = "own", effective: bool = True, **fields: Any) -> Endpoint:
    return replace(Endpoint(name, effective, effective), **fields)


def view(*peers: Endpoint, own: Endpoint | None = None) -> MembershipView:
    return MembershipView(own or endpoint(), peers)


PEER = endpoint("peer", rank=1)


def generation(
    outcome: Outcome = Outcome.OK, begun: float = NOW - 5, seconds: float = 0.2, life: str = "e1"
) -> Generation:
    return Generation(outcome, begun, begun + seconds, "", life)


def gpus(count: int = 1, fault: str = "", **fields: Any) -> GpuReport:
    return GpuReport(tuple(Gpu(n, f"GPU-{n}", "L4", fault=fault) for n in range(count)), **fields)


def observed(**fields: Any) -> Observed:
    """A healthy host: everything read this second, itself and one peer effective."""
    whole = Observed(
        now=NOW,
        boot=BOOT,
        engine_unit=val(unit()),
        connector_unit=val(unit("c1")),
        engine=look(),
        connector=connector(),
        generation=val(generation()),
        membership=val(view(PEER)),
        gpus=val(gpus()),
        save=val(True),
    )
    return replace(whole, **fields)


def memory(**fields: Any) -> Memory:
    """An engine that answered five seconds ago and whose counters moved then."""
    whole = Memory(
        incarnation="e1",
        signature=(("moves", 1.0),),
        looked_at=NOW,
        moved_at=NOW - 5,
        accepted=True,
        accepts=True,
        generation_ok_at=NOW - 5,
        generation_mark=NOW,
        arrivals=0,
        arrived_at=NOW - 100,
        idle_since=NOW - 100,
    )
    return replace(whole, **fields)


def saved(phase: Phase = Phase.SERVING, **fields: Any) -> Saved:
    whole = Saved(
        boot=BOOT,
        adopted=True,
        phase=phase,
        since=NOW - 100,
        incarnation="e1",
        baseline=True,
        memory=memory(),
    )
    return replace(whole, **fields)


def leaving(phase: Phase = Phase.DRAINING, left: float = NOW - 50, **fields: Any) -> Saved:
    """On the way out, or out, since `left`; the proof came a second later."""
    drain = Drain(left, left + 120, left + 1, "the pool reads disabled")
    return saved(phase, **({"since": left, "drain": drain} | fields))


def out_view(*peers: Endpoint) -> MembershipView:
    return view(*(peers or (PEER,)), own=endpoint(effective=False))


def desired(terms: Terms | None = None, **fields: Any) -> Desired:
    return Desired(terms or Terms(), **fields)


def cause(kind: CauseKind = CauseKind.CERTAIN, code: str = "engine-gone", **fields: Any) -> Cause:
    return replace(Cause(kind, code, code, NOW), **fields)


def facts(
    *causes: Cause, seen: Observed | None = None, kept: Saved | None = None, wish: Desired | None = None
) -> Facts:
    return Facts(seen or observed(), wish or desired(), kept or saved(), causes)
