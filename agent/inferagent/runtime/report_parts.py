"""The parts of the Status document: engine, connector, pool and GPUs, each from its readings alone."""

from collections.abc import Iterable

from inferagent.model.decision import Decision
from inferagent.model.desired import Terms
from inferagent.model.gpu import Gpu, place
from inferagent.model.health import CauseKind
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, Value, known
from inferagent.model.saved import Fault, Saved
from inferagent.model.status import StatusGpu, StatusPart
from inferagent.model.unit import Unit
from inferagent.policy.faults import of_engine

CONNECTIONS = 4  # what cloudflared keeps to the edge, unless it is told otherwise
RECENT = 60.0  # seconds for which an answer is worth saying
SHOWS = 60.0  # seconds after a write within which the reading that first shows it is begun
SAME_STORY = 600.0  # seconds after which leaving has nothing to do with the fault any more

# What an engine that lives does wrong, by the code of the cause.
DOES = {
    "engine-hung": "hangs",
    "load-stuck": "stuck under its requests",
    "generation-failed": "answers wrongly",
    "engine-refuses": "refuses connections",
    "port-taken": "without its port",
    "model-missing": "without its model",
    "warming-stuck": "stuck while starting",
    "engine-restarted": "not proven yet",
    "engine-degraded": "degraded",
}

# What a GPU's line says of its fault, by the fault's code; of any other, the code.
FAULTS = {"reset-required": "wants a reset", "ecc": "memory error"}


def engine_part(observed: Observed, decision: Decision, terms: Terms) -> StatusPart:
    pairs = zip(terms.names, terms.engine_names, strict=False)
    detail = ", ".join(f'"{name}" = {real}' if name != real else f'"{name}"' for name, real in pairs)
    unit = known(observed.engine_unit)
    faults = of_engine(decision.saved, terms.gpus)
    condition = _condition(observed, decision, unit, faults)
    return StatusPart(terms.engine.value, detail, unit_state(unit), condition)


def unit_state(unit: Unit | None) -> str:
    if unit is None:
        return "unknown"
    return f"{unit.state.value} ({unit.exit})" if unit.exit and not unit.alive else unit.state.value


def _condition(observed: Observed, decision: Decision, unit: Unit | None, faults: tuple[Fault, ...]) -> str:
    """The unit's state, and what the engine's port and its answers say beyond it."""
    if unit is None:
        return "unknown"
    if not unit.alive:
        return f"{unit.state.value} ({short(faults[0], observed)})" if faults else unit_state(unit)
    does = next((DOES[cause.code] for cause in decision.causes if cause.code in DOES), "")
    return (
        f"{unit.state.value}, {does}" if does else f"{unit.state.value}{_answers(observed, decision.saved)}"
    )


def _answers(observed: Observed, saved: Saved) -> str:
    accepts, answered = observed.engine.accepts, saved.memory.generation_ok_at
    if isinstance(accepts, Failed):
        return ", cannot be asked"
    if isinstance(accepts, Value) and not accepts.value:
        return ", refuses connections" if saved.memory.accepted else ", not listening yet"
    if answered is not None and observed.now - answered <= RECENT:
        return f", answered {max(0.0, observed.now - answered):.0f} s ago"
    return "" if answered is not None else ", has not answered yet"


def short(fault: Fault, observed: Observed) -> str:
    """ "GPU 1 lost"."""
    report, index = known(observed.gpus), fault.index
    if report and index is None:
        index = next((gpu.index for gpu in report.gpus if fault.gpu in _names(gpu)), None)
    word = FAULTS.get(fault.code, fault.code)
    return f"GPU {word}" if index is None else f"GPU {index} {word}"


def _names(gpu: Gpu) -> tuple[str, ...]:
    return tuple(name for name in (gpu.uuid, place(gpu.pci), gpu.pci, str(gpu.index)) if name)


def connector_part(observed: Observed, decision: Decision, replica: bool) -> StatusPart:
    look, unit = observed.connector, known(observed.connector_unit)
    ready = known(look.ready)
    detail = "connections unknown" if ready is None else connections(ready)
    state = unit_state(unit)
    out = decision.phase in (Phase.OUT, Phase.DRAINING)
    condition = "stopped while out" if replica and out and unit is not None and not unit.alive else state
    return StatusPart(f"cloudflared {look.version}".strip(), detail, state, condition)


def connections(ready: int) -> str:
    if ready > CONNECTIONS:
        return f"{ready} connections"
    return f"{ready}/{CONNECTIONS} connections" if ready else "no edge connection"


def pool_turned(observed: Observed, saved: Saved, enabled: bool, seen: float | None) -> float | None:
    """Since when the pool reads so, in boot-clock seconds: our write's, or when it was seen to turn."""
    write, job = saved.last_write, observed.job("push")
    ours = None
    if write is not None and write.confirmed and write.member is enabled:
        ended = job.ended is not None and job.ended >= write.at and not job.error
        ours = job.ended if ended else write.at
    if ours is None or seen is None:
        return seen if ours is None else ours
    return ours if 0 <= seen - ours <= SHOWS else seen  # later, it was turned again


def after_the_cause(saved: Saved, turned: float | None) -> float | None:
    """Seconds from the begin of the certain or inferred cause to the pool's turning, if one made it turn."""
    cause = saved.cause
    if cause is None or turned is None or cause.kind not in (CauseKind.CERTAIN, CauseKind.INFERRED):
        return None
    took = turned - cause.since
    return took if 0 <= took <= SAME_STORY else None


def gpu_lines(observed: Observed, faults: Iterable[Fault]) -> tuple[StatusGpu, ...]:
    """Those that the driver shows, and those that it shows no more, by their faults."""
    report, told = known(observed.gpus), tuple(faults)
    sticky = {name: fault.code for fault in told for name in (fault.gpu, fault.pci) if name}
    shown = tuple(_gpu(gpu, gpu.fault or _sticky(gpu, sticky)) for gpu in report.gpus) if report else ()
    present = {gpu.index for gpu in shown}
    gone = {fault.index: fault for fault in told if fault.index is not None and fault.index not in present}
    lost = (
        StatusGpu(index, "", FAULTS.get(fault.code, fault.code), fault.gpu, fault.code)
        for index, fault in gone.items()
    )
    return tuple(sorted((*shown, *lost), key=lambda gpu: gpu.index))


def _sticky(gpu: Gpu, faults: dict[str, str]) -> str:
    return next((faults[name] for name in _names(gpu) if name in faults), "")


def _gpu(gpu: Gpu, fault: str) -> StatusGpu:
    return StatusGpu(
        index=gpu.index,
        name=gpu.name,
        text=FAULTS.get(fault, fault) or _gpu_text(gpu),
        uuid=gpu.uuid,
        fault=fault,
        utilisation=known(gpu.utilisation),
        memory_used=known(gpu.memory_used),
        memory_total=known(gpu.memory_total),
        temperature=known(gpu.temperature),
    )


def _gpu_text(gpu: Gpu) -> str:
    used, total = known(gpu.memory_used), known(gpu.memory_total)
    parts = [
        _with_unit(known(gpu.utilisation), " %"),
        f"{used / 1e9:.0f}/{total / 1e9:.0f} GB" if used is not None and total is not None else "",
        _with_unit(known(gpu.temperature), " °C"),
        "ok",
    ]
    return "  ".join(part for part in parts if part)


def _with_unit(value: int | None, unit: str) -> str:
    return "" if value is None else f"{value}{unit}"
