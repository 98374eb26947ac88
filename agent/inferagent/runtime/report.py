"""Build the one Status document from a decision and what it was made from."""

from dataclasses import dataclass, field

from inferagent import __version__
from inferagent.model.action import Move, describe
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Mode, Terms
from inferagent.model.health import WORSE, CauseKind, Finding, Health
from inferagent.model.membership import MembershipKind, MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER, Reading, Value, known
from inferagent.model.status import SCHEMA, Status, StatusFinding, StatusMembership, StatusWarming
from inferagent.policy.facts import Facts
from inferagent.policy.narrate import root_cause
from inferagent.policy.progress import progress
from inferagent.policy.until import left
from inferagent.runtime.report_parts import (
    CONNECTIONS,
    after_the_cause,
    connector_part,
    engine_part,
    gpu_lines,
    pool_turned,
)
from inferagent.runtime.walls import Walls

ASKED_FOR = "parked"  # the one soft cause that somebody wished
# Wherever nothing better is known to do, look at everything.
LOOK = "inferagent doctor"
# What runs in each slot of the jobs.
DEEDS = {"push": "a write to the pool", "engine": "start, stop or restart of the engine"}
DEEDS |= {"connector": "start, stop or restart of the connector"}
# What a proposal is called among the things that wait.
JOIN = describe(Move(Phase.JOINING))
WANTED = {JOIN: "joining", "go to serving": "serving", "go to draining": "leaving"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a Status is made from. `wall_now` is display time; `turned_at` is the boot-clock
    second at which the pool was seen to turn in or out."""

    host: str
    observed: Observed
    desired: Desired
    decision: Decision
    last_membership: Reading[MembershipView]
    wall_now: str
    turned_at: float | None = None
    walls: Walls = field(default_factory=Walls)

    @property
    def terms(self) -> Terms:
        return self.desired.terms

    def wall(self, second: float | None) -> str:
        return "" if second is None else self.walls.at(second, self.observed.now, self.wall_now)


def status(scene: Scene) -> Status:
    observed, decision, terms = scene.observed, scene.decision, scene.terms
    root = root_cause(decision)
    hold = scene.desired.hold
    drain = decision.saved.drain if decision.phase is Phase.DRAINING else None
    return Status(
        schema=SCHEMA,
        host=scene.host,
        mode=scene.desired.mode.value,
        phase=decision.phase.value,
        label=decision.label.value if decision.label else "",
        since=scene.wall(decision.saved.since),
        seconds=max(0.0, observed.now - decision.saved.since),
        sentence=decision.sentence,
        root_cause=root.text if root else "",
        cure=_cure(scene, root.cure if root else ""),
        verdict=decision.verdict,
        hold=hold.reason or "operator" if hold else "another hand" if decision.saved.other_hand else "",
        engine=engine_part(observed, decision, terms),
        connector=connector_part(observed, decision, terms.membership is MembershipKind.REPLICA),
        membership=_membership(scene),
        gpus=gpu_lines(observed, decision.saved.faults),
        in_flight_tunnel=decision.in_flight.tunnel,
        in_flight_lan=decision.in_flight.lan,
        findings=tuple(_finding(one, observed.now) for one in decision.findings if not _unread(one)),
        vetoes=tuple(f"{veto.rule}: {veto.proposal}: {veto.why}" for veto in decision.vetoes),
        boot=observed.boot,
        agent_version=__version__,
        exit_code=exit_code(scene),
        at=scene.wall_now,
        root_code=root.code if root else "",
        root_component=root.component.value if root else "",
        waits=waits(decision),
        doing=doing(observed),
        warming=_warming(scene) if decision.label is Label.WARMING else None,
        connections=known(observed.connector.ready),
        connections_wanted=CONNECTIONS,
        deadline=scene.wall(drain.deadline if drain else None),
        hold_until=hold.until.wall if hold and hold.until else "",
        hold_left=left(hold.until, observed.now, observed.boot, scene.wall_now)
        if hold and hold.until
        else None,
        lent=decision.saved.lent,
    )


def _warming(scene: Scene) -> StatusWarming | None:
    decision = scene.decision
    return progress(Facts(scene.observed, scene.desired, decision.saved, decision.causes, decision.findings))


def waits(decision: Decision) -> tuple[str, ...]:
    """What is wanted and not done, each with its reason; nothing that the sentence says already."""
    if decision.label is Label.HELD:
        return ()  # a person said so
    found: dict[str, str] = {}
    for veto in decision.vetoes:
        ill = veto.proposal == JOIN and decision.label not in (None, Label.READY)  # what it lacks is told
        if veto.rule != "observe" and not ill and veto.why not in decision.sentence:
            found.setdefault(WANTED.get(veto.proposal, veto.proposal), veto.why)
    return tuple(f"{wanted}: {why}" for wanted, why in found.items())


def doing(observed: Observed) -> tuple[str, ...]:
    """The jobs that run."""
    running = [(DEEDS.get(name, name), job.begun) for name, job in observed.jobs if job.running]
    return tuple(
        deed if begun is None else f"{deed}, begun {max(0.0, observed.now - begun):.0f} s ago"
        for deed, begun in running
    )


def _unread(finding: Finding) -> bool:
    """What nobody has looked at yet, a moment after the start, is no news."""
    return finding.health is Health.UNKNOWN and finding.text.endswith(NEVER.reason)


def _cure(scene: Scene, cure: str) -> str:
    full = next((one.cure for one in scene.decision.findings if one.code == "state-not-saved"), "")
    if full and scene.decision.label is Label.NEEDS_OPERATOR:
        return full  # nothing else can be done before
    told = (one.cure for one in scene.decision.findings if one.cure and one.text in scene.decision.sentence)
    cure = cure or next(told, "")
    if cure or scene.decision.label is not Label.NEEDS_OPERATOR:
        return cure
    unit = scene.terms.engine_unit
    readable = bool(unit) and known(scene.observed.engine_unit) is not None
    return f"sudo journalctl -u {unit} -n 50" if readable else LOOK


def exit_code(scene: Scene) -> int:
    """0 as intended, 1 serving but degraded or goal ≠ observed, 4 out although it should be in."""
    decision, own = scene.decision, known(scene.observed.membership)
    enabled = own.own.enabled if own else None
    if decision.phase is Phase.SERVING:
        worse = any(cause.kind is not CauseKind.OPERATOR for cause in decision.causes)
        worse = worse or any(finding.health in WORSE for finding in decision.findings)
        return 1 if worse or enabled is False else 0
    if scene.desired.mode is Mode.OBSERVE:
        return 0
    if _as_asked(decision):
        return 1 if decision.phase is Phase.OUT and enabled else 0
    return 4 if decision.phase is Phase.OUT else 1


def _as_asked(decision: Decision) -> bool:
    """Held, lent, or parked by a wish; a degraded check or engine parks a host that should be in."""
    if decision.label is Label.HELD or any(cause.kind is CauseKind.OPERATOR for cause in decision.causes):
        return True
    return decision.label is Label.PARKED and any(cause.code == ASKED_FOR for cause in decision.causes)


def _finding(finding: Finding, now: float) -> StatusFinding:
    age = f"{max(0.0, now - finding.since):.0f} s ago"
    return StatusFinding(
        finding.code, finding.component.value, finding.health.value, finding.text, age, finding.cure
    )


def _membership(scene: Scene) -> StatusMembership:
    kind, reading = scene.terms.membership.value, scene.last_membership
    if not isinstance(reading, Value):
        return StatusMembership(kind, "unknown", None, None, None, None)
    own, peers, saved = reading.value.own, reading.value.peers, scene.decision.saved
    turned = pool_turned(scene.observed, saved, own.enabled, scene.turned_at)
    return StatusMembership(
        kind=kind,
        state="in" if own.enabled else "out",
        healthy=own.healthy,
        age=max(0.0, scene.observed.now - reading.at),
        peers_effective=None if peers is None else sum(peer.effective for peer in peers),
        peers=None if peers is None else len(peers),
        since=scene.wall(turned),
        after=None if own.enabled else after_the_cause(saved, turned),
    )
