"""The Status document: exit codes, membership only from a reading, GPUs in words."""

from dataclasses import replace

import pytest

from inferagent.model.decision import Decision, InFlight, Pace
from inferagent.model.desired import Desired, Hold, Mode
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.health import Cause, CauseKind, Component, Finding, Health
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.observed import Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER, NotAvailable, Value
from inferagent.model.saved import Saved
from inferagent.model.status import StatusFinding
from inferagent.runtime.report import Scene, exit_code, quiet_copy, status

VIEW = MembershipView(
    Endpoint("here", True, True), (Endpoint("other", True, None), Endpoint("third", True, True))
)
ILL = Cause(CauseKind.CERTAIN, "engine-gone", "the engine's process is gone", 90.0, cure="look at its log")


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
    return Scene("here", observed, wishes, decision, Value(VIEW, 97.0), "now", "then")


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
        (out(scene(Phase.OUT, Label.PARKED)), 0),
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


def test_what_changes_by_itself_makes_no_new_log_line() -> None:
    one = status(scene(Phase.SERVING))
    other = replace(one, seconds=99.0, in_flight_tunnel=7)
    assert quiet_copy(one) == quiet_copy(other)
    assert quiet_copy(one) != quiet_copy(replace(one, sentence="draining"))


@pytest.mark.parametrize(
    ("one", "later"),
    [
        ("no edge connection for 88 s", "no edge connection for 93 s"),
        ("draining, 3 in flight (tunnel 2, LAN 1)", "draining, 2 in flight (tunnel 1, LAN 1)"),
    ],
)
def test_an_age_or_a_count_that_moves_makes_no_new_log_line(one: str, later: str) -> None:
    made = status(scene(Phase.OUT, Label.RECOVERING, (ILL,)))
    finding = StatusFinding("c", "connector", "unhealthy", one, "", "")
    first = replace(made, sentence=one, root_cause=one, findings=(finding,))
    second = replace(made, sentence=later, root_cause=later, findings=(replace(finding, text=later),))
    assert quiet_copy(first) == quiet_copy(second)
    assert quiet_copy(replace(made, root_cause="GPU 0 is lost")) != quiet_copy(
        replace(made, root_cause="GPU 1 is lost")
    )
