"""Fold one tick's readings into the memory: what moved, what answered, what arrived, and since when."""

from typing import Any, TypeAlias

from inferagent.model.change import changed
from inferagent.model.engine import EngineLook, Outcome, Warmup
from inferagent.model.observed import Observed
from inferagent.model.reading import Value, known
from inferagent.model.saved import Memory
from inferagent.policy.flight import in_flight, settled, work

# Two looks further apart than this (a failing probe, a sleeping host) say nothing of the time between them.
GAP = 30.0
# Accepting a question moves counters by itself; movement this long after its begin is nobody's answer.
OWN_MOVEMENT = 1.0
SMOOTHED = 20.0  # seconds that the rate of a load is an average of

Fields: TypeAlias = dict[str, Any]


def gather(observed: Observed, memory: Memory) -> Memory:
    """The memory after this tick. A new incarnation of the engine starts its evidence afresh."""
    unit = known(observed.engine_unit)
    incarnation = unit.incarnation if unit else memory.incarnation
    if incarnation != memory.incarnation:
        memory = _fresh(memory, incarnation)
    return changed(
        memory,
        **_progress(memory, observed.engine),
        **_warmup(memory, observed.engine),
        **_load(memory, observed),
        **_generation(memory, observed),
        **_arrivals(memory, observed),
        **_failures(memory, observed),
        **_edge(memory, observed),
        **_asked(memory, observed),
    )


def _fresh(memory: Memory, incarnation: str) -> Memory:
    return changed(
        memory,
        incarnation=incarnation,
        signature=(),
        looked_at=None,
        moved_at=None,
        accepted=False,
        accepts=False,
        warm_signature=(),
        warm_moved_at=None,
        warm_looked_at=None,
        warm_loaded=0,
        warm_rate=None,
        load_since=None,
        generation_ok_at=None,
        generation_bad=0,
        asked_since=None,
    )


# Each of these says which fields of the memory are new; no field is said by two of them.


def _progress(memory: Memory, look: EngineLook) -> Fields:
    seen = look.accepts
    new: Fields = {"accepts": seen.value} if isinstance(seen, Value) else {}
    new |= {"accepted": True} if known(seen) else {}
    reading = look.progress
    if not isinstance(reading, Value) or reading.at == memory.looked_at:
        return new
    signature = reading.value.signature
    blind = memory.looked_at is None or reading.at - memory.looked_at > GAP
    if blind or signature != memory.signature:
        new |= {"signature": signature, "moved_at": reading.at}
    return new | {"looked_at": reading.at}


def _warmup(memory: Memory, look: EngineLook) -> Fields:
    """Disk, memory and CPU in coarse steps: an idle process that ticks over makes no progress."""
    reading = look.warmup
    if not isinstance(reading, Value) or reading.at == memory.warm_looked_at:
        return {}
    signature = _coarse(reading.value)
    blind = memory.warm_looked_at is None or reading.at - memory.warm_looked_at > GAP
    moved = blind or signature != memory.warm_signature
    new: Fields = {"warm_signature": signature, "warm_moved_at": reading.at} if moved else {}
    rate = None if blind else warm_rate(memory, reading.value.loaded, reading.at)
    return new | {"warm_looked_at": reading.at, "warm_loaded": reading.value.loaded, "warm_rate": rate}


def warm_rate(memory: Memory, loaded: int, at: float) -> float | None:
    """Bytes a second, smoothed: a disk that pauses for a look does not double what is left."""
    seconds = at - (at if memory.warm_looked_at is None else memory.warm_looked_at)
    if seconds <= 0:
        return memory.warm_rate
    present, before = max(0, loaded - memory.warm_loaded) / seconds, memory.warm_rate
    return present if before is None else before + min(1.0, seconds / SMOOTHED) * (present - before)


def _coarse(warmup: Warmup) -> tuple[float, ...]:
    return (warmup.read_bytes // 2**20, warmup.memory_bytes // 2**22, warmup.cpu_seconds // 1)


def _load(memory: Memory, observed: Observed) -> Fields:
    """Since when somebody waits for an answer, unknown keeps what was known; and since when surely nobody."""
    flight = in_flight(observed)
    empty, owed = settled(observed, flight) == 0, work(observed, flight)
    idle = observed.now if memory.idle_since is None else memory.idle_since
    since = observed.now if memory.load_since is None and owed else memory.load_since
    return {"load_since": None if empty and not owed else since, "idle_since": idle if empty else None}


def _generation(memory: Memory, observed: Observed) -> Fields:
    last = known(observed.generation)
    if last is None or last.ended <= memory.generation_mark:
        return {}
    mark: Fields = {"generation_mark": last.ended}
    if last.incarnation != memory.incarnation:
        return mark
    if last.outcome is Outcome.OK:
        return mark | {"generation_ok_at": last.begun, "generation_bad": 0, "asked_since": None}
    if last.outcome is Outcome.WRONG:
        return mark | {"generation_bad": memory.generation_bad + 1, "asked_since": None}
    if memory.asked_since is None:  # unanswered, or too busy to answer
        return mark | {"asked_since": last.begun}
    return mark


def _arrivals(memory: Memory, observed: Observed) -> Fields:
    """Arrivals are the growth of the connector's total less the monitor's probes; a restart begins anew."""
    traffic = observed.connector.traffic
    if not isinstance(traffic, Value):
        return {}
    users = traffic.value.total - observed.asked
    if memory.arrivals is None or memory.arrived_at is None:
        return {"arrivals": users, "arrived_at": traffic.at, "counted_since": traffic.at}
    return {"arrivals": users, "arrived_at": traffic.at if users > memory.arrivals else memory.arrived_at}


def _failures(memory: Memory, observed: Observed) -> Fields:
    """Growth of the users' answers with 5xx; a restart of the connector begins anew."""
    traffic = observed.connector.traffic
    if not isinstance(traffic, Value) or traffic.value.failed is None:
        return {}
    failed = traffic.value.failed
    grown = memory.failed is not None and failed > memory.failed
    return {"failed": failed, "failed_at": traffic.at} if grown else {"failed": failed}


def _edge(memory: Memory, observed: Observed) -> Fields:
    """Since when looks have shown no edge connection; a look that fails neither begins nor ends it."""
    ready = observed.connector.ready
    if not isinstance(ready, Value) or ready.at == memory.edge_looked_at:
        return {}
    blind = memory.edge_looked_at is None or ready.at - memory.edge_looked_at > GAP
    since = ready.at if blind or memory.no_edge_since is None else memory.no_edge_since
    return {"edge_looked_at": ready.at, "no_edge_since": None if ready.value > 0 else since}


def _asked(memory: Memory, observed: Observed) -> Fields:
    """When the monitor last asked: what it has not seen, it cannot act on."""
    if observed.asked == memory.asked:
        return {}
    return {"asked": observed.asked, "asked_at": observed.now}


def still_for(memory: Memory) -> float | None:
    """Seconds for which looks have shown nothing moving although there was work; None where that is unknown.

    An idle engine stands still in health: time counts from when requests, or our own question, were there.
    """
    if memory.looked_at is None or memory.moved_at is None:
        return None
    work = [at for at in (memory.load_since, memory.asked_since) if at is not None]
    return memory.looked_at - max(memory.moved_at, min(work)) if work else 0.0


def moved_since(memory: Memory, begun: float) -> bool:
    """Whether anything moved after the question asked at `begun` had been taken."""
    return memory.moved_at is None or memory.moved_at > begun + OWN_MOVEMENT
