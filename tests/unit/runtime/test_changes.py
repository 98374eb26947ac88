"""Changes: each is said once; ages, counts and repetitions are none."""

from dataclasses import replace

import pytest
from tests.support.build import NOW, cause, endpoint, observed, out_view, saved, val, view

from inferagent.model.action import Push, Restart, Start
from inferagent.model.decision import Decision, InFlight, Pace
from inferagent.model.desired import Hold, Until
from inferagent.model.event import EventKind
from inferagent.model.health import CauseKind, Component, Finding, Health
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import Failed, NotAvailable
from inferagent.model.saved import Fault
from inferagent.model.unit import Part
from inferagent.runtime.changes import Change, Noted, changes, same

SERVING = Decision(
    phase=Phase.SERVING,
    label=None,
    verdict=True,
    saved=saved(),
    findings=(),
    causes=(),
    actions=(),
    vetoes=(),
    pace=Pace(),
    sentence="serving",
    in_flight=InFlight(0, 0),
)
SEEN = observed(membership=val(view(endpoint("peer", rank=1))))
CALM, _ = changes(Noted(Phase.SERVING, None), SEEN, SERVING)
HUNG = cause(CauseKind.INFERRED, "engine-hung", text="the engine hangs: nothing has moved for 12 s")
OUT = replace(SERVING, phase=Phase.OUT, label=Label.WARMING, sentence="out, warming")


def found(before: Noted = CALM, seen: Observed = SEEN, **decided: object) -> list[tuple[str, str]]:
    _, what = changes(before, seen, replace(SERVING, **decided))
    return [(change.kind.value, change.text) for change in what]


def after(before: Noted = CALM, seen: Observed = SEEN, **decided: object) -> Noted:
    return changes(before, seen, replace(SERVING, **decided))[0]


def test_a_calm_tick_changes_nothing() -> None:
    later = replace(SEEN, now=NOW + 5)
    assert same(CALM, later, SERVING)
    assert found(seen=later) == []
    assert after(seen=later) == CALM


def test_a_change_of_phase_is_its_sentence() -> None:
    assert found(phase=Phase.OUT, label=Label.WARMING, sentence="out, warming") == [("phase", "out, warming")]
    assert not same(CALM, SEEN, OUT)


def test_a_change_of_label_within_the_phase_is_its_own() -> None:
    noted = after(phase=Phase.OUT, label=Label.WARMING)
    assert found(noted, phase=Phase.OUT, label=Label.READY, sentence="out, ready") == [
        ("label", "out, ready")
    ]


def test_a_cause_begins_and_ends_by_its_code() -> None:
    assert found(causes=(HUNG,)) == [("cause begins", HUNG.text)]
    standing = after(causes=(HUNG,))
    longer = replace(HUNG, text="the engine hangs: nothing has moved for 31 s")
    assert found(standing, causes=(longer,)) == []
    assert same(standing, SEEN, replace(SERVING, causes=(longer,)))
    assert not same(standing, SEEN, replace(SERVING, causes=(replace(HUNG, code="engine-gone"),)))
    assert not same(standing, SEEN, SERVING)
    over = found(standing, replace(SEEN, now=NOW + 40))
    assert over == [("cause ends", f"over after 40 s: {HUNG.text}")]


@pytest.mark.parametrize("code", ["hold", "other-hand"])
def test_a_hold_is_given_and_ended(code: str) -> None:
    held = cause(CauseKind.OPERATOR, code, text="held")
    assert found(causes=(held,)) == [("hold", "held")]
    assert found(after(causes=(held,)), replace(SEEN, now=NOW + 7)) == [("resume", "over after 7 s: held")]


def test_a_hold_that_replaces_another_is_told_once() -> None:
    until = Until("b", NOW + 600, "2026-11-22T12:20:00+00:00", 600.0)
    first, second = Hold("12:00"), Hold("12:05", "games", stop_engine=True, until=until, lend=True)

    def holding(hold: Hold, text: str) -> dict[str, object]:
        kept = replace(SERVING.saved, memory=replace(SERVING.saved.memory, hold=hold))
        return {"saved": kept, "causes": (cause(CauseKind.OPERATOR, "hold", text=text),)}

    noted = after(**holding(first, "held"))
    lent = holding(second, "lent until 12:20: games")
    assert not same(noted, SEEN, replace(SERVING, **lent))
    assert found(noted, **lent) == [("hold", "replaced: lent until 12:20: games")]
    noted = after(noted, **lent)
    later = replace(until, wall="2026-11-22T13:20:00+00:00")
    moved = holding(replace(second, until=later), "lent until 13:20")
    assert same(noted, SEEN, replace(SERVING, **moved)), "the clocks moved its end, nobody else"
    assert found(noted, **moved) == []


def test_what_the_pool_reads_is_a_change_only_when_it_differs() -> None:
    peer = endpoint("peer", rank=1)
    out = replace(SEEN, membership=val(out_view(peer)))
    assert found(seen=out) == [("membership", "the pool reads: out; 1 of 1 others")]
    again = replace(SEEN, membership=val(view(peer), NOW + 9))
    assert not same(CALM, again, SERVING)
    assert found(seen=again) == []
    ill = replace(SEEN, membership=val(view(peer, own=replace(endpoint(), healthy=False))))
    assert found(seen=ill) == [("membership", "the pool reads: in, not healthy; 1 of 1 others")]
    blind = replace(SEEN, membership=Failed("cannot read", NOW))
    assert found(seen=blind) == []
    assert found(after(seen=blind)) == []
    alone = replace(SEEN, membership=val(replace(view(), peers=None)))
    assert found(seen=alone) == [("membership", "the pool reads: in, healthy")]


def test_a_sticky_fault_is_noted_and_cleared() -> None:
    fault = Fault("b", "GPU-0", "gpu-lost", "GPU 0 is lost", NOW)
    kept = replace(SERVING.saved, faults=(fault,))
    assert found(saved=kept) == [("fault", "GPU 0 is lost")]
    assert found(after(saved=kept)) == [("fault", "over: GPU 0 is lost")]


LEAVE = Push(False, "the engine hangs")


def test_a_deed_is_said_and_its_repetition_is_not() -> None:
    said = ("action", "disable in the pool: the engine hangs")
    assert found(actions=(LEAVE,)) == [said]
    pushed = after(actions=(LEAVE,))
    assert found(pushed, actions=(LEAVE,)) == []
    assert found(pushed, actions=(Push(True, "joining"),)) == [("action", "enable in the pool: joining")]


def test_a_write_in_a_new_situation_is_new() -> None:
    pushed = after(actions=(LEAVE,))
    moved = found(pushed, phase=Phase.OUT, label=Label.WARMING, sentence="out", actions=(LEAVE,))
    assert [kind for kind, _ in moved] == ["phase", "action"]


def test_every_restart_is_said_but_one_that_only_tries_again() -> None:
    restart = Restart(Part.ENGINE)
    noted = after(actions=(restart,))
    assert found(noted, actions=(restart,)) == [("action", "restart engine")]
    failing = replace(SEEN, jobs=(("engine", Job(failures=2)),))
    assert found(noted, failing, actions=(restart,)) == []
    assert found(noted, failing, actions=(Start(Part.ENGINE),)) == [("action", "start engine")]


def test_a_failure_is_said_once_until_it_has_succeeded() -> None:
    ended = replace(SEEN, jobs=(("push", Job(ended=NOW, error="cannot write: 403", failures=1)),))
    running = replace(SEEN, jobs=(("push", Job(running=True, failures=1)),))
    well = replace(SEEN, jobs=(("push", Job(ended=NOW)),))
    assert found(seen=ended) == [("action failed", "push: cannot write: 403")]
    noted = after(seen=ended)
    assert same(noted, ended, SERVING)
    noted = after(noted, running)
    assert found(noted, ended) == []
    noted = after(noted, well)
    assert found(noted, ended) == [("action failed", "push: cannot write: 403")]


def test_readings_come_before_the_judgement_and_deeds_last() -> None:
    seen = replace(SEEN, membership=val(out_view(endpoint("peer", rank=1))))
    kinds = [
        kind
        for kind, _ in found(seen=seen, phase=Phase.DRAINING, causes=(HUNG,), actions=(LEAVE,), sentence="x")
    ]
    assert kinds == ["membership", "cause begins", "phase", "action"]


def test_what_was_never_readable_is_no_change() -> None:
    seen = replace(SEEN, membership=NotAvailable(NOW))
    assert changes(Noted(Phase.SERVING, None), seen, SERVING)[1] == ()


def test_a_change_without_a_cause_of_its_own_has_the_root_s() -> None:
    _, (change,) = changes(CALM, SEEN, OUT)
    assert change == Change(EventKind.PHASE, "out, warming", "out")


DISK = Finding("check:disk", Component.CHECK, Health.DEGRADED, "check disk: 9 % free", NOW)


def test_what_a_check_says_is_told_when_it_changes_and_when_it_is_over() -> None:
    assert found(findings=(DISK,)) == [("check", "check disk: 9 % free")]
    noted = after(findings=(DISK,))
    moved = replace(DISK, text="check disk: 8 % free")
    assert same(noted, SEEN, replace(SERVING, findings=(moved,)))
    assert not same(noted, SEEN, SERVING)
    assert found(noted, findings=(moved,)) == []
    worse = replace(DISK, health=Health.UNHEALTHY, text="check disk: 1 % free")
    assert found(noted, findings=(worse,)) == [("check", "check disk: 1 % free")]
    later = replace(SEEN, now=NOW + 60)
    assert found(noted, later) == [("check", "over after 60 s: check disk: 9 % free")]


def test_a_check_that_is_a_cause_is_told_as_one() -> None:
    full = cause(CauseKind.CERTAIN, "check:disk", text="check disk: full", component=Component.CHECK)
    told = Finding(full.code, full.component, Health.UNHEALTHY, full.text, NOW)
    noted = after(findings=(DISK,))
    assert found(noted, causes=(full,), findings=(told,)) == [("cause begins", "check disk: full")]


def test_findings_of_other_components_are_nobody_s_event() -> None:
    other = replace(DISK, component=Component.AGENT)
    assert found(findings=(other,)) == []
    assert same(CALM, SEEN, replace(SERVING, findings=(other,)))
