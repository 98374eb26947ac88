"""Fall counts for status probes, and the time since when each finding has stood."""

from inferagent.model.change import changed
from inferagent.model.health import Cause, Finding
from inferagent.model.saved import Memory
from inferagent.model.unit import Unit
from inferagent.policy.judge_port import CODE as PORT_TAKEN

NO_FALL = 0, float("-inf")


def fall(memory: Memory, code: str, bad: bool | None, at: float, needed: int) -> tuple[Memory, bool]:
    """Count one reading taken at `at`; True once `needed` bad ones came in a row; None (unknown) is no count.

    The same reading, seen again by a later tick, is not counted twice; a good one leaves nothing behind.
    """
    count, mark = next(((count, mark) for name, count, mark in memory.falls if name == code), NO_FALL)
    if bad is None or at <= mark or not (bad or count):
        return memory, count >= needed
    others = [fallen for fallen in memory.falls if fallen[0] != code]
    count = min(count + 1, needed) if bad else 0
    counted = [(code, count, at)] if bad else []
    return changed(memory, falls=(*others, *counted)), count >= needed


def lasting(memory: Memory, code: str, needed: int) -> Memory:
    """What stands already needs a good reading to end, however many bad ones it takes from now on."""
    count, mark = next(((count, mark) for name, count, mark in memory.falls if name == code), NO_FALL)
    if count >= needed:
        return memory
    others = [fallen for fallen in memory.falls if fallen[0] != code]
    return changed(memory, falls=(*others, (code, needed, mark)))


def absent(part: str, unit: Unit, program: str, name: str = "") -> tuple[str, str]:
    """What to say of a unit that cannot be started at all, and the cure; `exit` names what is missing.

    `program`: what `inferagent install` calls it; `name`: of a systemd unit.
    """
    if name and unit.exit:
        return (
            f"the {part} cannot be started: {unit.exit}",
            f"sudo inferagent setup, or systemctl status {name}",
        )
    if unit.exit:
        return (
            f"the {part} cannot be started: {unit.exit}",
            f"sudo inferagent install {program}, or give its path: command in [{part}]",
        )
    return f"the {part}'s unit does not exist", "sudo inferagent setup"


def by_hand(verb: str, unit: str) -> str:
    """The command with which a person does to a systemd unit what the agent must not; "" for a child."""
    return f"sudo systemctl {verb} {unit}" if unit else ""


def dated(
    memory: Memory, now: float, causes: list[Cause], findings: list[Finding]
) -> tuple[Memory, tuple[Cause, ...], tuple[Finding, ...]]:
    """Date each cause and finding by when its code began to stand without a break; worst causes first.

    A port that is taken explains what else is wrong with the engine, however old that is.
    """
    if not causes and not findings:
        return changed(memory, sinces=()), (), ()
    old = dict(memory.sinces)
    codes = [*(cause.code for cause in causes), *(finding.code for finding in findings)]
    sinces = {code: old.get(code, now) for code in codes}
    ordered = sorted(causes, key=lambda one: (-one.kind, one.code != PORT_TAKEN, sinces[one.code]))
    return (
        changed(memory, sinces=tuple(sinces.items())),
        tuple(changed(cause, since=sinces[cause.code]) for cause in ordered),
        tuple(changed(finding, since=sinces[finding.code]) for finding in findings),
    )
