"""The Status document: exit codes, membership only from a reading, GPUs in words."""

from dataclasses import replace

import pytest

from inferagent.model.decision import Decision, InFlight, Pace, Veto
from inferagent.model.desired import Desired, Hold, Mode, Terms
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER, NotAvailable, Value
from inferagent.model.saved import Fault, Saved
from inferagent.model.unit import Unit, UnitState
from inferagent.runtime.report import Scene, exit_code, status, waits

VIEW = MembershipView(
    Endpoint("here", True, True), (Endpoint("other", True, None), Endpoint("third", True, True))
)
ILL = Cause(CauseKind.CERTAIN, "engine-gone", "the engine's process is gone", 90.0, cure="look at its log")

PARKED = Cause(CauseKind.SOFT, "parked", "parked: no request for 30 min", 90.0)
SLOW = Cause(CauseKind.SOFT, "engine-degraded", "partly on the CPU", 90.0)
FULL = Cause(CauseKind.SOFT, "check:disk", "check disk: 96 % full", 90.0)
IN_USE = Cause(CauseKind.OPERATOR, "in-use", "GPU 0 is used by blender", 90.0)


def scene(
    phase: Phase, label: Label | None = None, causes: tuple[Cause, ...] = (), **desired: object
) -> Scene:
    decision = Decision(
        phase=phase,
        label=label,
        verdict=phase in (Phase.JOINING, Phase.SERVING),
        saved=Saved(phase=phase, since=60.0),
        findings=(),
        causes=causes,
        actions=(),
        vetoes=(),
        pace=Pace(),
        sentence=str(phase),
        in_flight=InFlight(1, 2),
    )
    observed = Observed(100.0, "b", membership=Value(VIEW, 97.0))
    wishes = replace(Desired(), **desired)  # type: ignore[arg-type]
    return Scene("here", observed, wishes, decision, Value(VIEW, 97.0), "2026-11-22T12:00:40+01:00")


def out(made: Scene) -> Scene:
    """The same, read as disabled."""
    disabled = MembershipView(Endpoint("here", False, None), ())
    return replace(made, observed=replace(made.observed, membership=Value(disabled, 97.0)))


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (scene(Phase.SERVING), 0),
        (scene(Phase.SERVING, causes=(ILL,)), 1),
        (scene(Phase.JOINING), 1),
        (scene(Phase.OUT, Label.RECOVERING, (ILL,)), 4),
        (out(scene(Phase.OUT, Label.HELD, hold=Hold("now"))), 0),
        (out(scene(Phase.OUT, Label.PARKED, (PARKED,))), 0),
        (out(scene(Phase.OUT, Label.PARKED, (SLOW,))), 4),
        (out(scene(Phase.OUT, Label.PARKED, (FULL,))), 4),
        (out(scene(Phase.OUT, Label.PARKED, (FULL, PARKED))), 0),
        (out(scene(Phase.OUT, Label.WAITING, (IN_USE,))), 0),
        (scene(Phase.OUT, Label.WARMING, mode=Mode.OBSERVE), 0),
    ],
)
def test_exit_codes(made: Scene, code: int) -> None:
    assert exit_code(made) == code


def test_serving_but_read_as_disabled_is_not_as_intended() -> None:
    assert exit_code(out(scene(Phase.SERVING))) == 1


@pytest.mark.parametrize(
    ("health", "code"), [(Health.DEGRADED, 1), (Health.UNHEALTHY, 1), (Health.UNKNOWN, 0)]
)
def test_serving_beside_a_finding(health: Health, code: int) -> None:
    """A full disk, two agents: serving, and not as intended; what only cannot be read is no illness."""
    made, finding = scene(Phase.SERVING), Finding("code", Component.AGENT, health, "text", 90.0)
    assert exit_code(replace(made, decision=replace(made.decision, findings=(finding,)))) == code


def test_held_and_still_in_the_pool_is_not_as_intended() -> None:
    made = scene(Phase.OUT, Label.HELD, hold=Hold("now"))
    assert (exit_code(made), exit_code(out(made))) == (1, 0)


def test_membership_is_stated_from_a_reading_with_its_age() -> None:
    document = status(scene(Phase.SERVING))
    assert (document.membership.state, document.membership.age) == ("in", 3.0)
    assert (document.membership.peers, document.membership.peers_effective) == (2, 1)
    without = status(replace(scene(Phase.SERVING), last_membership=NEVER))
    assert (without.membership.state, without.membership.age) == ("unknown", None)


def test_the_root_cause_and_its_cure_come_first() -> None:
    document = status(scene(Phase.OUT, Label.RECOVERING, (ILL,)))
    assert (document.root_cause, document.cure) == ("the engine's process is gone", "look at its log")
    assert document.seconds == 40.0


def test_gpus_in_words_leave_out_what_cannot_be_read() -> None:
    well = Gpu(
        0,
        "u",
        "L4",
        utilisation=Value(3, 1.0),
        memory_used=Value(18_000_000_000, 1.0),
        memory_total=Value(24_000_000_000, 1.0),
        temperature=NotAvailable(1.0),
    )
    lost = Gpu(1, "v", "L4", fault="lost")
    made = scene(Phase.SERVING)
    observed = replace(made.observed, gpus=Value(GpuReport((well, lost)), 99.0))
    texts = [gpu.text for gpu in status(replace(made, observed=observed)).gpus]
    assert texts == ["3 %  18/24 GB  ok", "lost"]


def test_a_phase_began_when_it_began_whoever_tells_it() -> None:
    document = status(scene(Phase.SERVING))
    assert (document.since, document.at) == ("2026-11-22T12:00:00+01:00", "2026-11-22T12:00:40+01:00")


def test_a_sticky_fault_of_the_kernel_shows_on_its_gpu_though_the_driver_says_well() -> None:
    made = scene(Phase.OUT, Label.WAITING)
    observed = replace(made.observed, gpus=Value(GpuReport((Gpu(0, "u", "L4"), Gpu(1, "v", "L4"))), 99.0))
    fault = Fault("b", "v", "fell-off", "GPU 1 fell off the bus", 90.0)
    decision = replace(made.decision, saved=replace(made.decision.saved, faults=(fault,)))
    document = status(replace(made, observed=observed, decision=decision))
    assert [gpu.text for gpu in document.gpus] == ["ok", "fell-off"]


def vetoed(*vetoes: Veto, label: Label = Label.RECOVERING, sentence: str = "out, recovering") -> Decision:
    return replace(scene(Phase.OUT, label).decision, vetoes=vetoes, sentence=sentence)


def test_what_waits_is_said_once_with_its_first_reason_unless_the_sentence_says_it() -> None:
    slow = Veto("S8", "restart engine", "waits 20 s after the last restart")
    also = Veto("S3", "restart engine", "no proof at this moment that the host is out")
    assert waits(vetoed(slow, also)) == ("restart engine: waits 20 s after the last restart",)
    assert waits(vetoed(slow, sentence="out (waits 20 s after the last restart)")) == ()
    off = Veto("S9", "go to joining", "held off")
    assert waits(vetoed(off)) == ()
    assert waits(vetoed(off, label=Label.READY)) == ("joining: held off",)
    assert waits(vetoed(Veto("observe", "go to joining", "the mode is observe"))) == ()
    assert waits(vetoed(slow, label=Label.HELD)) == ()
    unproven = Veto("S11", "go to joining", "no generation has come back yet")
    assert waits(vetoed(unproven, label=Label.WARMING)) == ()


def test_whoever_needs_an_operator_says_where_to_look() -> None:
    made = scene(Phase.OUT, Label.NEEDS_OPERATOR, (replace(ILL, cure=""),))
    assert status(made).cure == "inferagent doctor"
    unit = replace(made, desired=Desired(terms=Terms(engine_unit="vllm.service")))
    assert status(unit).cure == "inferagent doctor", "nobody knows of the unit"
    read = replace(unit.observed, engine_unit=Value(Unit(UnitState.FAILED), 99.0))
    assert status(replace(unit, observed=read)).cure == "sudo journalctl -u vllm.service -n 50"
    full = Finding("state-not-saved", Component.AGENT, Health.DEGRADED, "no space", 90.0, "df -h")
    assert status(replace(made, decision=replace(made.decision, findings=(full,)))).cure == "df -h"


def test_a_finding_that_the_sentence_says_gives_its_cure() -> None:
    made = scene(Phase.OUT, Label.READY)
    two = Finding("two-agents", Component.MEMBERSHIP, Health.UNHEALTHY, "two agents", 90.0, "setup")
    decision = replace(made.decision, findings=(two,), sentence="out, ready (two agents)")
    assert status(replace(made, decision=decision)).cure == "setup"
    assert status(replace(made, decision=replace(decision, sentence="out, ready"))).cure == ""


def test_what_nobody_has_looked_at_yet_is_no_finding() -> None:
    made = scene(Phase.OUT, Label.WARMING)
    fresh = Finding("connector-unknown", Component.CONNECTOR, Health.UNKNOWN, "connector: not read yet", 90.0)
    assert status(replace(made, decision=replace(made.decision, findings=(fresh,)))).findings == ()


def test_the_jobs_that_run_are_told() -> None:
    made = scene(Phase.OUT, Label.RECOVERING)
    jobs = (("engine", Job(True, 95.0)), ("push", Job(False, 90.0)))
    document = status(replace(made, observed=replace(made.observed, jobs=jobs)))
    assert document.doing == ("start, stop or restart of the engine, begun 5 s ago",)
