"""Sticky GPU faults: a lost GPU, one that wants a reset, one that vanished from the count."""

from inferagent.model.change import changed
from inferagent.model.gpu import GpuReport
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.observed import Observed
from inferagent.model.reading import known
from inferagent.model.saved import Fault, Saved
from inferagent.policy.facts import Facts, Judgement

TEXTS = {"lost": "is lost to its driver", "reset-required": "wants a reset"}


def remember_faults(observed: Observed, saved: Saved) -> Saved:
    """Add what the report shows; nothing here takes a fault away (S6), but another boot id does."""
    faults = tuple([fault for fault in saved.faults if fault.boot == observed.boot])
    report = known(observed.gpus)
    if report is None:
        return changed(saved, faults=faults)
    known_keys = {(fault.gpu, fault.code) for fault in faults}
    fresh = [fault for fault in _seen(report, saved, observed) if (fault.gpu, fault.code) not in known_keys]
    count = max(saved.gpu_count, len(report.gpus))
    return changed(saved, faults=(*faults, *fresh), gpu_count=count)


def _seen(report: GpuReport, saved: Saved, observed: Observed) -> list[Fault]:
    faults = [
        Fault(
            observed.boot,
            gpu.uuid or gpu.pci or str(gpu.index),
            gpu.fault,
            _text(gpu.index, gpu.fault),
            observed.now,
        )
        for gpu in report.gpus
        if gpu.fault
    ]
    expected = max(saved.gpu_count, known(report.pci_count) or 0)
    seen = bool(report.gpus) or saved.gpu_count > 0  # a driver that has shown none yet is still starting
    if seen and not report.stuck and len(report.gpus) < expected:
        text = f"{expected - len(report.gpus)} of {expected} GPUs vanished from the driver's count"
        faults.append(Fault(observed.boot, "count", "vanished", text, observed.now))
    return faults


def _text(index: int, code: str) -> str:
    return f"GPU {index} {TEXTS.get(code, code)}"


def judge_gpu(facts: Facts) -> Judgement:
    """One certain cause for each fault of this boot; a stuck probe is a finding and never a cause."""
    causes = tuple(
        Cause(
            CauseKind.CERTAIN,
            f"gpu-{fault.code}",
            fault.text,
            fault.at,
            Repair.REBOOT,
            Component.GPU,
            "sudo systemctl reboot",
        )
        for fault in facts.saved.faults
    )
    report = known(facts.observed.gpus)
    stuck = report.stuck if report else ""
    finding = Finding("gpu-stuck", Component.GPU, Health.UNKNOWN, stuck, 0.0)
    return Judgement(causes, (finding,) if stuck else ())
