"""The GPUs: a certain cause for each sticky fault of the engine's, and what is only worth saying of them."""

from inferagent.model.health import Cause, CauseKind, Component, Finding, Health, Repair
from inferagent.model.reading import known
from inferagent.model.saved import Fault
from inferagent.policy.facts import Facts, Judgement
from inferagent.policy.faults import cure_of, notes, of_engine, remember_faults, used

__all__ = ["judge_gpu", "remember_faults"]

MISMATCH_CURE = "sudo systemctl reboot, or stop what uses the GPU and reload the kernel module nvidia"


def judge_gpu(facts: Facts) -> Judgement:
    """One certain cause for each fault of this boot; a stuck probe is a finding and never a cause."""
    causes = tuple([_cause(fault) for fault in of_engine(facts.saved, facts.terms.gpus)])
    return Judgement(causes, (*_unused(facts), *_stuck(facts), *_mismatch(facts), *_notes(facts)))


def _cause(fault: Fault) -> Cause:
    repair = Repair.RESET_GPU if fault.cure == "reset" else Repair.REBOOT
    code = f"gpu-{fault.code}"
    return Cause(CauseKind.CERTAIN, code, fault.text, fault.at, repair, Component.GPU, cure_of(fault))


def _unused(facts: Facts) -> tuple[Finding, ...]:
    """What the engine never touches takes nobody out."""
    return tuple(
        [
            Finding(
                f"gpu-unused-{fault.code}",
                Component.GPU,
                Health.DEGRADED,
                f"{fault.text}; the engine does not use it",
                fault.at,
                cure_of(fault),
            )
            for fault in facts.saved.faults
            if not used(fault, facts.terms.gpus)
        ]
    )


def _stuck(facts: Facts) -> tuple[Finding, ...]:
    report = known(facts.observed.gpus)
    stuck = report.stuck if report else ""
    return (Finding("gpu-stuck", Component.GPU, Health.UNKNOWN, stuck, 0.0),) if stuck else ()


def _mismatch(facts: Facts) -> tuple[Finding, ...]:
    """Unknown, and no cause: an engine that runs goes on with what it has loaded."""
    look = known(facts.observed.kernel)
    if look is None or not look.mismatch:
        return ()
    text = f"{look.mismatch}: what starts now finds no GPU"
    return (Finding("gpu-driver-mismatch", Component.GPU, Health.UNKNOWN, text, 0.0, MISMATCH_CURE),)


def _notes(facts: Facts) -> tuple[Finding, ...]:
    return tuple(
        [
            Finding(code, Component.GPU, Health.HEALTHY, text, 0.0)
            for code, text in notes(facts.observed, facts.saved)
        ]
    )
