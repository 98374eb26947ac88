"""The GPU lent to others (pure): who is on the engine's GPUs, who was there before, what the engine frees."""

from collections.abc import Iterator

from inferagent.model.change import changed
from inferagent.model.gpu import Gpu, GpuProcess, GpuReport
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER, Failed, NotAvailable, Value, known
from inferagent.model.saved import Saved
from inferagent.policy.facts import Facts
from inferagent.policy.leaving import needs_last

GB = 1e9
CODE = "in-use"


def track_lending(facts: Facts, saved: Saved) -> Saved:
    """`lent` from the engine's end, at the operator's word, to its next start, whoever starts it."""
    hold, inside = facts.desired.hold, saved.phase in (Phase.JOINING, Phase.SERVING)
    if inside and saved.residents is None:
        saved = changed(saved, residents=residents(facts))
    if hold is not None:
        gone = hold.lend and saved.phase is Phase.OUT and facts.engine_dead
        return changed(saved, lent=True) if gone else saved
    back = facts.unit is not None and facts.unit.alive
    return changed(saved, lent=False) if saved.lent and back else saved


def residents(facts: Facts) -> tuple[str, ...] | None:
    """Names of those who share the engine's GPUs with it now (a desktop); where unknown, as last seen."""
    gpus = _gpus(facts)
    if not gpus or not all(isinstance(gpu.processes, Value) for gpu in gpus):
        return facts.saved.residents
    return tuple(sorted({process.name for gpu in gpus for process in _others(facts, gpu)}))


def judge_lending(facts: Facts) -> tuple[Cause | None, Finding | None]:
    """Lent and asked back, and yet in use; and what cannot be seen of it, or keeps it from being lent."""
    if not facts.saved.lent:
        return None, _not_free(facts)
    text, blind = in_use(facts), unseen(facts)
    cause = None
    if facts.desired.hold is None and text:
        cause = Cause(CauseKind.OPERATOR, CODE, text, 0.0, Repair.NONE, Component.GPU)
    finding = Finding("gpu-users-unknown", Component.GPU, Health.UNKNOWN, blind, 0.0) if blind else None
    return cause, finding


def _not_free(facts: Facts) -> Finding | None:
    """Out to be lent, and meanwhile nobody else is there."""
    hold, alive = facts.desired.hold, facts.unit is not None and facts.unit.alive
    why = needs_last(facts) if hold is not None and hold.lend and alive else ""
    if not why or facts.saved.phase is not Phase.OUT:
        return None
    text = f"the engine is not stopped for lending: {why}"
    return Finding("not-lent", Component.GPU, Health.DEGRADED, text, 0.0, "inferagent resume")


def in_use(facts: Facts) -> str:
    """ "GPU 0 is used by blender (pid 4242, 11 GB)": by somebody who was not there at the last join; "" for
    nobody. What cannot be read counts for nobody, but for a report that has not been asked for yet."""
    if facts.observed.gpus.at == NEVER.at:
        return "the GPUs have not been looked at yet"
    before = facts.saved.residents
    if before is None:
        return ""
    found = [
        f"GPU {gpu.index} is used by {_named(process)}"
        for gpu in _gpus(facts)
        for process in _others(facts, gpu)
        if process.name not in before
    ]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{found[0]}{more}" if found else ""


def unseen(facts: Facts) -> str:
    """ "" or why nobody can tell who is on the engine's GPUs."""
    report = facts.observed.gpus
    if isinstance(report, Failed):
        return f"cannot tell who uses the GPUs: {report.reason}" if report.at > NEVER.at else ""
    for gpu in _gpus(facts):
        if isinstance(gpu.processes, Failed):
            return f"cannot tell who uses GPU {gpu.index}: {gpu.processes.reason}"
        if isinstance(gpu.processes, NotAvailable):
            return f"cannot tell who uses GPU {gpu.index}: its driver does not say"
    if facts.saved.residents is None and _gpus(facts):
        return "cannot tell who uses the GPUs but the engine: nobody has seen that while it served"
    return ""


def frees(facts: Facts) -> str:
    """ "18 GB on GPU 0": what the engine holds now; "" where that is unknown or nothing."""
    held = []
    for gpu in _gpus(facts):
        size = sum(process.memory_bytes for process in _processes(gpu) if _own(facts, process))
        if size:
            held.append(f"{size / GB:.0f} GB on GPU {gpu.index}")
    return " and ".join(held)


def _gpus(facts: Facts) -> tuple[Gpu, ...]:
    report: GpuReport | None = known(facts.observed.gpus)
    wanted = facts.terms.gpus
    if report is None:
        return ()
    return tuple(gpu for gpu in report.gpus if wanted is None or gpu.index in wanted)


def _processes(gpu: Gpu) -> tuple[GpuProcess, ...]:
    """One that computes and draws is named once."""
    found = {process.pid: process for process in reversed(known(gpu.processes) or ())}
    return tuple(reversed(found.values()))


def _others(facts: Facts, gpu: Gpu) -> Iterator[GpuProcess]:
    return (process for process in _processes(gpu) if not _own(facts, process))


def _own(facts: Facts, process: GpuProcess) -> bool:
    """The engine's main process or one that descends from it."""
    main = facts.unit.main_pid if facts.unit else 0
    return main > 1 and (process.pid == main or main in process.parents)


def _named(process: GpuProcess) -> str:
    size = process.memory_bytes / GB
    memory = f", {size:.{0 if size >= 9.95 else 1}f} GB" if size else ""
    return f"{process.name or 'a process'} (pid {process.pid}{memory})"
