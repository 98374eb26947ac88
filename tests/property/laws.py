"""What must hold at every tick of every story, whatever happens."""

from dataclasses import dataclass

from inferagent.model.action import Action, Push, Restart, Start, Stop
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Mode
from inferagent.model.health import CauseKind
from inferagent.model.observed import Observed
from inferagent.model.phase import ARROWS, Phase
from inferagent.model.reading import Failed, Value
from inferagent.model.saved import Saved
from inferagent.model.unit import Part

INSIDE = (Phase.JOINING, Phase.SERVING)


@dataclass(frozen=True)
class Tick:
    now: float
    before: Saved
    observed: Observed
    desired: Desired
    decision: Decision

    @property
    def arrow(self) -> tuple[Phase, Phase] | None:
        pair = (self.before.phase, self.decision.phase)
        return None if pair[0] is pair[1] else pair

    @property
    def adopting(self) -> bool:
        return not self.before.adopted and self.decision.saved.adopted


class BrokenLawError(AssertionError):
    pass


def check(tick: Tick) -> None:
    """Raise BrokenLawError for the first law that this tick breaks."""
    laws = OBSERVED if tick.desired.mode is Mode.OBSERVE else LAWS
    for law in laws:
        if not law(tick):
            decision = tick.decision
            said = f"{law.__name__} at t={tick.now:.1f}: {tick.before.phase} → {decision.phase}"
            raise BrokenLawError(f"{said}, {decision.actions}, {decision.sentence}, {decision.causes}")


def listed_arrows_only(tick: Tick) -> bool:
    return tick.arrow is None or tick.arrow in ARROWS


def verdict_follows_phase(tick: Tick) -> bool:
    return tick.decision.verdict == (tick.decision.phase in INSIDE)


def engine_touched_only_out(tick: Tick) -> bool:
    """S3; starting an engine of which nothing runs is no touching."""
    touched = [a for a in tick.decision.actions if isinstance(a, (Restart, Stop)) and a.part is Part.ENGINE]
    return not touched or tick.decision.phase is Phase.OUT


def join_is_proven(tick: Tick) -> bool:
    """S11. An adopted host was inside already."""
    if tick.decision.phase is not Phase.JOINING or tick.arrow is None or tick.adopting:
        return True
    saved = tick.decision.saved
    at = saved.memory.generation_ok_at
    ill = [c for c in tick.decision.causes if c.kind in (CauseKind.CERTAIN, CauseKind.INFERRED)]
    return at is not None and at > saved.proof_floor and tick.now - at <= 60.0 and not ill


def enabling_rests_on_a_reading(tick: Tick) -> bool:
    """A write that enables follows a fresh reading that says disabled, and a fresh proof."""
    if not any(isinstance(action, Push) and action.member for action in tick.decision.actions):
        return True
    reading, at = tick.observed.membership, tick.decision.saved.memory.generation_ok_at
    fresh = isinstance(reading, Value) and tick.now - reading.at <= 30.0 and not reading.value.own.enabled
    return fresh and at is not None and tick.now - at <= 60.0


def held_stays_out(tick: Tick) -> bool:
    held = tick.desired.hold is not None or (tick.before.other_hand and tick.decision.saved.other_hand)
    joined = tick.arrow is not None and tick.arrow[1] is Phase.JOINING
    repaired = any(isinstance(action, (Start, Restart)) for action in tick.decision.actions)
    return not held or not (joined or repaired)


def faults_stay(tick: Tick) -> bool:
    """S6: within a boot no fault is forgotten, and with one nothing joins."""
    kept = {fault.gpu for fault in tick.before.faults if fault.boot == tick.observed.boot}
    faults = {fault.gpu for fault in tick.decision.saved.faults}
    joined = tick.arrow is not None and tick.arrow[1] is Phase.JOINING
    return kept <= faults and not (faults and joined)


def nothing_new_unsaved(tick: Tick) -> bool:
    """S12, in the decision that was acted upon."""
    failed = isinstance(tick.observed.save, Failed) and tick.observed.save.at > float("-inf")
    deeds = [action for action in tick.decision.actions if not _leaves(action, tick)]
    joined = tick.arrow is not None and tick.arrow[1] is Phase.JOINING and not tick.adopting
    return not failed or not (joined or any(isinstance(deed, (Stop, Restart)) for deed in deeds))


def _leaves(action: Action, tick: Tick) -> bool:
    replica = tick.desired.terms.membership == "replica"
    return replica and isinstance(action, Stop) and action.part is Part.CONNECTOR


def nothing_is_done(tick: Tick) -> bool:
    return not tick.decision.actions


LAWS = (
    listed_arrows_only,
    verdict_follows_phase,
    engine_touched_only_out,
    join_is_proven,
    enabling_rests_on_a_reading,
    held_stays_out,
    faults_stay,
    nothing_new_unsaved,
)
OBSERVED = (nothing_is_done, faults_stay)
