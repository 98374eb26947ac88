"""Build the one Status document from a decision and what it was made from."""

import re
from dataclasses import dataclass

from inferagent import __version__
from inferagent.model.change import changed
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, Mode, Terms
from inferagent.model.gpu import Gpu
from inferagent.model.health import CauseKind, Finding, Health
from inferagent.model.membership import MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import Reading, Value, known
from inferagent.model.status import (
    SCHEMA,
    Status,
    StatusFinding,
    StatusGpu,
    StatusMembership,
    StatusPart,
)
from inferagent.model.unit import Unit
from inferagent.policy.narrate import root_cause

_MOVING = re.compile(r"\d+(?:\.\d+)?(?= (?:s|min|h|in flight)\b)|(?<=tunnel )\d+|(?<=LAN )\d+")
WORSE = (Health.DEGRADED, Health.UNHEALTHY)  # what cannot be read is none of these
ASKED_FOR = (Label.HELD, Label.PARKED)


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a Status is made from. `wall_of` turns a boot-clock second into display time."""

    host: str
    observed: Observed
    desired: Desired
    decision: Decision
    last_membership: Reading[MembershipView]
    wall_now: str
    wall_since: str

    @property
    def terms(self) -> Terms:
        return self.desired.terms


def status(scene: Scene) -> Status:
    observed, decision = scene.observed, scene.decision
    root = root_cause(decision)
    hold = scene.desired.hold
    return Status(
        schema=SCHEMA,
        host=scene.host,
        mode=scene.desired.mode.value,
        phase=decision.phase.value,
        label=decision.label.value if decision.label else "",
        since=scene.wall_since,
        seconds=max(0.0, observed.now - decision.saved.since),
        sentence=decision.sentence,
        root_cause=root.text if root else "",
        cure=root.cure if root else "",
        verdict=decision.verdict,
        hold=hold.reason or "operator" if hold else "another hand" if decision.saved.other_hand else "",
        engine=_engine(scene),
        connector=_connector(scene),
        membership=_membership(scene),
        gpus=_gpus(observed),
        in_flight_tunnel=decision.in_flight.tunnel,
        in_flight_lan=decision.in_flight.lan,
        findings=tuple(_finding(finding, observed.now) for finding in decision.findings),
        vetoes=tuple(f"{veto.rule}: {veto.proposal}: {veto.why}" for veto in decision.vetoes),
        boot=observed.boot,
        agent_version=__version__,
        exit_code=exit_code(scene),
    )


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
    if decision.label in ASKED_FOR or any(c.kind is CauseKind.OPERATOR for c in decision.causes):
        return 1 if decision.phase is Phase.OUT and enabled else 0
    return 4 if decision.phase is Phase.OUT else 1


def _finding(finding: Finding, now: float) -> StatusFinding:
    age = f"{max(0.0, now - finding.since):.0f} s ago"
    return StatusFinding(
        finding.code, finding.component.value, finding.health.value, finding.text, age, finding.cure
    )


def _unit_state(unit: Unit | None) -> str:
    if unit is None:
        return "unknown"
    return f"{unit.state.value} ({unit.exit})" if unit.exit and not unit.alive else unit.state.value


def _engine(scene: Scene) -> StatusPart:
    terms = scene.terms
    pairs = zip(terms.names, terms.engine_names, strict=False)
    detail = ", ".join(f'"{name}" = {real}' if name != real else f'"{name}"' for name, real in pairs)
    return StatusPart(terms.engine.value, detail, _unit_state(known(scene.observed.engine_unit)))


def _connector(scene: Scene) -> StatusPart:
    look = scene.observed.connector
    ready = known(look.ready)
    detail = "connections unknown" if ready is None else f"{ready} connections"
    name = f"cloudflared {look.version}".strip()
    return StatusPart(name, detail, _unit_state(known(scene.observed.connector_unit)))


def _membership(scene: Scene) -> StatusMembership:
    kind, reading = scene.terms.membership.value, scene.last_membership
    if not isinstance(reading, Value):
        return StatusMembership(kind, "unknown", None, None, None, None)
    own, peers = reading.value.own, reading.value.peers
    return StatusMembership(
        kind=kind,
        state="in" if own.enabled else "out",
        healthy=own.healthy,
        age=max(0.0, scene.observed.now - reading.at),
        peers_effective=None if peers is None else sum(peer.effective for peer in peers),
        peers=None if peers is None else len(peers),
    )


def _gpus(observed: Observed) -> tuple[StatusGpu, ...]:
    report = known(observed.gpus)
    return tuple(StatusGpu(g.index, g.name, _gpu_text(g)) for g in report.gpus) if report else ()


def _gpu_text(gpu: Gpu) -> str:
    if gpu.fault:
        return gpu.fault
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


def quiet_copy(document: Status) -> Status:
    """The document without what changes by itself: two equal copies need no new log line."""
    return changed(
        document,
        seconds=0.0,
        since="",
        sentence=_steady(document.sentence),
        root_cause=_steady(document.root_cause),
        membership=changed(document.membership, age=None),
        in_flight_tunnel=None,
        in_flight_lan=None,
        findings=tuple(changed(one, since="", text=_steady(one.text)) for one in document.findings),
        gpus=(),
        vetoes=(),
    )


def _steady(text: str) -> str:
    """Without its ages and counts: "no answer for 88 s" is no news a second later."""
    return _MOVING.sub("#", text)
