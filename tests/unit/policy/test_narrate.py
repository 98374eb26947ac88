"""One sentence, the root cause first."""

import pytest
from tests.support.build import (
    BOOT,
    NOW,
    cause,
    desired,
    facts,
    failed,
    leaving,
    look,
    memory,
    observed,
    out_view,
    saved,
    val,
)

from inferagent.model.change import changed
from inferagent.model.decision import Veto
from inferagent.model.engine import Load, Warmup
from inferagent.model.health import CauseKind, Component, Finding, Health
from inferagent.model.phase import Label, Phase
from inferagent.model.saved import Fault
from inferagent.policy.narrate import narrate, root_cause

LOST = cause(code="gpu-lost", text="GPU 1 is lost", component=Component.GPU, since=NOW)
GONE = cause(text="the engine's process is gone", since=NOW - 5)
HELD = cause(CauseKind.OPERATOR, "hold", text="held by the operator")
SPENT = (NOW - 3000, NOW - 2000, NOW - 1000)


def test_what_broke_the_other_comes_first():
    assert root_cause(facts(GONE, LOST)) == LOST
    assert root_cause(facts(HELD, GONE)) == GONE
    assert root_cause(facts()) is None


def test_a_drain_whose_cause_is_over_still_says_why():
    over = root_cause(facts(kept=leaving(cause=GONE)))
    assert over is not None
    assert (over.code, over.text) == (GONE.code, GONE.text.replace(" is ", " was "))
    assert root_cause(facts(kept=leaving(Phase.OUT, cause=GONE))) is None


@pytest.mark.parametrize(
    ("text", "was"),
    [
        (
            "the engine's process is gone (exit code 1), being started again",
            "the engine's process was gone (exit code 1)",
        ),
        ("the engine hangs: nothing has moved for 12 s", "the engine hung: nothing has moved for 12 s"),
        (
            "the engine's process lives, but its port refuses connections",
            "the engine's process lived, but its port refused connections",
        ),
        ("no edge connection for 31 s", "no edge connection for 31 s (over)"),
    ],
)
def test_what_is_over_is_told_as_over_with_no_cure_and_with_what_the_way_back_waits_for(text, was):
    kept = leaving(cause=cause(text=text, cure="look at its log"))
    off = (Veto("observe", "go to joining", "observe"), Veto("S9", "go to joining", "held off for 9 s more"))
    assert narrate(facts(kept=kept), None, off) == (
        f"draining, 0 in flight: {was}; the way back waits: held off for 9 s more"
    )
    over = root_cause(facts(kept=kept))
    assert over is not None
    assert over.cure == ""
    still = narrate(facts(cause(text=text), kept=kept), None, off)
    assert still == f"draining, 0 in flight: {text}"


def test_serving_says_what_keeps_it_in():
    kept = (Veto("S2", "go to draining", "less than half of the pool would stay effective"),)
    assert narrate(facts(), None, ()) == "serving"
    said = narrate(facts(GONE), None, kept)
    assert said == f"serving, although {GONE.text} (kept in: {kept[0].why})"


def test_joining_says_what_it_waits_for():
    joining = saved(Phase.JOINING)
    assert narrate(facts(kept=joining), None, ()) == "joining: waiting for the monitor"
    off = observed(membership=val(out_view()))
    assert narrate(facts(seen=off, kept=joining), None, ()) == "joining: enabling in the pool"
    lost = observed(membership=failed())
    assert narrate(facts(seen=lost, kept=joining), None, ()) == "joining: the pool cannot be read"


def test_draining_counts_what_is_in_flight_by_its_way():
    busy = observed(engine=look(load=val(Load(2, 0))))
    assert narrate(facts(HELD, seen=busy, kept=leaving()), None, ()) == (
        "draining, 2 in flight (LAN 2): held by the operator"
    )
    early = leaving(left=NOW - 5)
    assert "leaving the pool" in narrate(facts(HELD, kept=early), None, ())


def test_out_says_its_label_and_what_to_do():
    out = leaving(Phase.OUT)
    assert narrate(facts(kept=out), Label.READY, ()) == "out, ready"
    assert "sudo inferagent setup" in narrate(facts(kept=out), Label.UNCONFIGURED, ())
    installing = facts(kept=out, wish=desired(installing="ollama"))
    assert narrate(installing, Label.INSTALLING, ()) == "out, installing: ollama"
    cold = leaving(Phase.OUT, memory=memory(generation_ok_at=None))
    assert narrate(facts(kept=cold), Label.WARMING, ()) == "out, warming: no generation has come back yet"
    spent = leaving(Phase.OUT, restarts=SPENT)
    assert "next try in 10 min" in narrate(facts(GONE, kept=spent), Label.NEEDS_OPERATOR, ())
    assert narrate(facts(GONE, HELD, kept=out), Label.HELD, ()) == f"out, {HELD.text}"
    person = cause(code="engine-stopped-by-person", text="the engine was stopped by a person")
    assert narrate(facts(person, kept=out), Label.HELD, ()) == f"out, held: {person.text}"
    idle = cause(CauseKind.SOFT, "parked", text="parked: no request for 30 min")
    assert narrate(facts(idle, kept=out), Label.PARKED, ()) == f"out, {idle.text}"
    assert narrate(facts(GONE, kept=out), Label.RECOVERING, ()) == f"out, recovering: {GONE.text}"


def test_needs_operator_says_why_even_where_no_cause_stands_at_this_moment():
    dying = narrate(facts(kept=leaving(Phase.OUT, restarts=SPENT)), Label.NEEDS_OPERATOR, ())
    assert dying.startswith("out, needs-operator: the engine keeps dying while it starts (3 restarts")
    unread = Finding("connector-unknown", Component.CONNECTOR, Health.UNKNOWN, "connector: cannot", NOW - 300)
    blind = changed(facts(kept=leaving(Phase.OUT)), findings=(unread,))
    assert narrate(blind, Label.NEEDS_OPERATOR, ()) == "out, needs-operator: connector: cannot"


def test_a_sticky_fault_waits_for_a_reboot():
    fault = Fault(BOOT, "GPU-1", "lost", LOST.text, NOW)
    out = leaving(Phase.OUT, faults=(fault,))
    assert narrate(facts(LOST, kept=out), Label.WAITING, ()) == f"out, waiting for a reboot: {LOST.text}"
    going = cause(code="host-going", text="the host is about to go")
    assert narrate(facts(going, kept=leaving(Phase.OUT)), Label.WAITING, ()) == f"out, waiting: {going.text}"


def test_warming_says_how_far_it_is_and_what_else_the_join_waits_for():
    ill = failed()
    warm = val(Warmup(1, 1, 1.0, 40_100_000_000, 12_400_000_000))
    seen = observed(engine=look(accepts=val(False), models=ill, warmup=warm))
    kept = memory(generation_ok_at=None, warm_looked_at=NOW, warm_moved_at=NOW, warm_rate=38e6)
    off = (Veto("S9", "go to joining", "held off for 9 s more"), Veto("observe", "go to joining", "observe"))
    said = narrate(facts(seen=seen, kept=leaving(Phase.OUT, memory=kept)), Label.WARMING, off)
    assert said == "out, warming: 12.4/40.1 GB, 38 MB/s, about 12 min (held off for 9 s more)"
