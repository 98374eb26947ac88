"""Which move is proposed, and what it leaves behind."""

from dataclasses import replace

import pytest
from tests.support.build import (
    NOW,
    cause,
    connector,
    desired,
    endpoint,
    facts,
    failed,
    leaving,
    memory,
    observed,
    out_view,
    saved,
    val,
    view,
)

from inferagent.model.action import Move
from inferagent.model.desired import Hold, Terms
from inferagent.model.health import CauseKind
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.policy.phases import deadline, effective, propose, standing, step, tighten

ALONE = observed(membership=val(view(endpoint("peer", effective=False))))
SOFT, HELD, CERTAIN = cause(CauseKind.SOFT, "parked"), cause(CauseKind.OPERATOR, "hold"), cause()
TO_JOIN, TO_SERVE, TO_OUT = Move(Phase.JOINING), Move(Phase.SERVING), Move(Phase.OUT)


def moves(*causes, phase=Phase.SERVING, seen=None, **kept):
    state = saved(phase, **kept) if phase in (Phase.JOINING, Phase.SERVING) else leaving(phase, **kept)
    return propose(facts(*causes, seen=seen, kept=state))


def test_out_asks_to_join_when_nothing_keeps_it_out():
    assert moves(phase=Phase.OUT) == (TO_JOIN,)
    assert moves(CERTAIN, phase=Phase.OUT) == ()


def test_every_cause_asks_to_leave_the_worst_first():
    assert moves(CERTAIN, HELD) == (Move(Phase.DRAINING, CERTAIN), Move(Phase.DRAINING, HELD))
    assert moves() == ()


def test_joining_serves_once_effective_and_asked():
    assert moves(phase=Phase.JOINING) == (TO_SERVE,)
    assert moves(phase=Phase.JOINING, memory=memory(generation_ok_at=None)) == ()
    assert moves(phase=Phase.JOINING, since=NOW) == ()
    assert moves(SOFT, phase=Phase.JOINING) == (Move(Phase.DRAINING, SOFT), TO_SERVE)


def test_draining_goes_back_when_the_cause_is_over_and_out_when_done():
    assert moves(phase=Phase.DRAINING, left=NOW - 5) == (TO_JOIN,)
    disabled = observed(membership=val(out_view()))
    assert moves(CERTAIN, phase=Phase.DRAINING, seen=disabled) == (TO_OUT,)
    assert moves(CERTAIN, phase=Phase.DRAINING, left=NOW - 5) == ()
    assert moves(CERTAIN, phase=Phase.DRAINING, left=NOW - 120) == (TO_OUT,)


def test_effective_needs_a_reading_newer_than_the_phase():
    assert effective(facts())
    assert not effective(facts(kept=saved(since=NOW)))
    assert not effective(facts(seen=observed(membership=failed())))
    healing = view(own=endpoint(healthy=None))
    assert not effective(facts(seen=observed(membership=val(healing))))


def test_a_replica_is_effective_while_its_connector_is_connected():
    wish = desired(Terms(membership=MembershipKind.REPLICA))
    assert effective(facts(wish=wish))
    assert not effective(facts(seen=observed(connector=connector(ready=val(0))), wish=wish))


def test_a_soft_cause_that_may_not_keep_the_host_out_does_not_stand():
    better = view(endpoint("peer", rank=0), own=endpoint(rank=5))
    allowed = observed(membership=val(better))
    assert standing(facts(SOFT, seen=allowed, kept=leaving(Phase.OUT))) == (SOFT,)
    called = replace(facts(SOFT, CERTAIN, seen=ALONE, kept=leaving(Phase.OUT)), called_back=True)
    assert standing(called) == (CERTAIN,)
    assert standing(replace(facts(SOFT, seen=ALONE), called_back=True)) == (SOFT,)


def test_joining_is_written_down_and_forgets_the_drain():
    after = step(facts(kept=leaving(Phase.OUT, joins=(NOW - 3601, NOW - 9))), TO_JOIN)
    assert (after.phase, after.since, after.drain, after.cause) == (Phase.JOINING, NOW, None, None)
    assert after.joins == (NOW - 9, NOW)
    assert after.incarnation == "e1"


def test_serving_is_dated_and_ends_what_resume_allowed():
    after = step(facts(kept=saved(Phase.JOINING, resume_free=True)), TO_SERVE)
    assert (after.serving_since, after.resume_free) == (NOW, False)


def test_illness_makes_the_next_hold_off_longer_and_a_hold_does_not():
    ill = step(facts(CERTAIN, kept=saved(hold_off_level=1)), Move(Phase.DRAINING, CERTAIN))
    assert (ill.hold_off_level, ill.hold_off_until) == (2, NOW + 120)
    held = step(facts(HELD, kept=saved(hold_off_level=1)), Move(Phase.DRAINING, HELD))
    assert (held.hold_off_level, held.hold_off_until) == (1, 0.0)


def test_an_arrow_that_is_not_listed_raises():
    with pytest.raises(ValueError, match="no such arrow"):
        step(facts(kept=saved(Phase.SERVING)), TO_OUT)


@pytest.mark.parametrize(
    ("found", "wish", "seen", "bound"),
    [
        (SOFT, None, None, None),
        (HELD, None, None, NOW + 900),
        (HELD, desired(hold=Hold("", deadline=30.0)), None, NOW + 30),
        (CERTAIN, None, None, NOW + 120),
        (CERTAIN, None, ALONE, NOW + 60),
        (SOFT, desired(going_until=NOW + 25), None, NOW + 24),
    ],
)
def test_each_cause_has_its_deadline(found, wish, seen, bound):
    assert deadline(facts(found, seen=seen, wish=wish), found) == bound


def test_a_worse_cause_brings_the_deadline_nearer_and_nothing_takes_it_away():
    kept = leaving(left=NOW - 10, cause=HELD)
    worse = tighten(facts(CERTAIN, HELD, kept=kept), kept)
    assert worse.drain == kept.drain, "110 s are left of the first"
    assert worse.cause == CERTAIN
    gone = desired(going_until=NOW + 25)
    nearer = tighten(facts(CERTAIN, kept=worse, wish=gone), worse)
    assert nearer.drain is not None
    assert nearer.drain.deadline == NOW + 24
    assert tighten(facts(SOFT, kept=nearer), nearer) == nearer
