"""S2: who may leave when."""

import pytest
from tests.support.build import (
    NOW,
    cause,
    desired,
    endpoint,
    facts,
    failed,
    memory,
    observed,
    out_view,
    saved,
    val,
    view,
)

from inferagent.model.desired import Hold, Terms
from inferagent.model.health import CauseKind
from inferagent.model.membership import Endpoint, MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.saved import Write
from inferagent.policy.facts import Facts
from inferagent.policy.leaving import (
    kept_long_enough,
    majority_stays,
    may_not_leave,
    soft_ends,
    verdict_alone,
)

INFERRED, CERTAIN = cause(CauseKind.INFERRED, "engine-hung"), cause()
SOFT, HELD = cause(CauseKind.SOFT, "parked"), cause(CauseKind.OPERATOR, "hold")
EARLIER = cause(CauseKind.OPERATOR, "hold", since=NOW - 1)
LONG_AGO = cause(CauseKind.OPERATOR, "hold", since=NOW - 3)
ALONE = Terms(alone=True)


def peers(*effective: bool, first: int = 1) -> list[Endpoint]:
    return [endpoint(f"peer{n}", up, rank=first + n) for n, up in enumerate(effective)]


def among(*others: Endpoint, rank: int = 0, waited: float | None = 100.0, read: float = NOW, **wish) -> Facts:
    own = endpoint(rank=rank)
    kept = memory(wait_since=None if waited is None else NOW - waited)
    seen = observed(membership=val(view(*others, own=own), read))
    return facts(seen=seen, kept=saved(memory=kept), wish=desired(**wish))


BLIND = facts(seen=observed(membership=failed()), kept=saved(memory=memory(wait_since=NOW)))


def test_a_certain_cause_leaves_whoever_else_is_there():
    assert may_not_leave(CERTAIN, among(*peers(False))) == ""
    assert may_not_leave(CERTAIN, BLIND) == ""


@pytest.mark.parametrize(
    ("others", "may"),
    [((True,), True), ((False,), False), ((), False), ((True, False), False), ((True, True, False), True)],
)
def test_an_inferred_cause_leaves_only_while_half_of_the_pool_stays(others, may):
    found = among(*peers(*others))
    assert (may_not_leave(INFERRED, found) == "") is may
    assert majority_stays(found) is may


def test_an_inferred_cause_leaves_where_the_others_cannot_be_read():
    assert may_not_leave(INFERRED, BLIND) == ""


@pytest.mark.parametrize(
    ("rank", "waited", "read", "may"),
    [
        (0, 5.9, NOW, False),
        (0, 6.1, NOW, True),
        (0, 6.1, NOW - 0.2, False),
        (0, 6.1, NOW - 0.05, True),
        (9, 0.1, NOW, True),
        (9, 0.1, NOW - 1, False),
        (0, None, NOW, False),
    ],
)
def test_an_inferred_cause_waits_for_its_turn_and_for_a_newer_reading(rank, waited, read, may):
    found = among(*peers(True, True), rank=rank, waited=waited, read=read)
    assert (may_not_leave(INFERRED, found) == "") is may


def test_only_those_who_could_leave_too_have_a_turn_before():
    assert may_not_leave(INFERRED, among(*peers(True, True, True, False), waited=9.1)) == ""
    assert may_not_leave(INFERRED, among(*peers(True, True, True, False), waited=8.9)) != ""


def test_no_turn_is_longer_than_fifteen_seconds():
    assert may_not_leave(INFERRED, among(*peers(*[True] * 9), waited=15.1)) == ""


@pytest.mark.parametrize(("others", "kept", "may"), [((False,), 60, True), ((False,), 59, False)])
def test_kept_in_for_a_deadline_it_counts_as_certain(others, kept, may):
    seen = observed(membership=val(view(*peers(*others))))
    found = facts(seen=seen, kept=saved(memory=memory(wait_since=NOW - kept, kept_since=NOW - kept)))
    assert kept_long_enough(found) is may
    assert (may_not_leave(INFERRED, found) == "") is may


def test_the_operator_needs_last_for_the_last_one_and_where_the_others_are_unknown():
    last = {"hold": Hold("", last=True)}
    assert may_not_leave(LONG_AGO, among(*peers(True))) == ""
    assert "--last" in may_not_leave(HELD, among(*peers(False)))
    assert "--last" in may_not_leave(HELD, BLIND)
    assert may_not_leave(HELD, among(*peers(False), **last)) == ""
    other = cause(CauseKind.OPERATOR, "other-hand")
    assert may_not_leave(other, among(*peers(False))) == ""


def test_a_hold_leaves_on_a_reading_begun_after_it():
    """Of two hosts that are held in the same second, the second sees that the first has left."""
    behind = peers(True, first=-1)
    assert "newer reading" in may_not_leave(HELD, among(*behind))
    assert "newer reading" in may_not_leave(EARLIER, among(*behind, read=NOW - 1))
    assert may_not_leave(EARLIER, among(*behind, read=NOW - 0.9)) == ""
    assert may_not_leave(HELD, among(*peers(True), hold=Hold("", last=True))) == ""


def test_of_hosts_that_are_held_at_the_same_moment_the_best_leaves_after_the_others():
    """Else each of them would still see another."""
    worse, ill = endpoint("z", rank=9), peers(False, first=-1)
    for others, waits in ((peers(True), True), (ill, True), (peers(True, first=-1), False)):
        assert bool(may_not_leave(EARLIER, among(*others, worse))) is waits, others
    assert "newer reading" in may_not_leave(LONG_AGO, among(*peers(True), read=NOW - 1))
    assert may_not_leave(LONG_AGO, among(*peers(True), read=NOW - 0.9)) == ""


@pytest.mark.parametrize(
    ("phase", "joins", "since", "may"),
    [
        (Phase.SERVING, 2, NOW - 599, False),
        (Phase.SERVING, 2, NOW - 600, True),
        (Phase.SERVING, 1, NOW - 1, True),
        (Phase.JOINING, 2, None, False),
        (Phase.JOINING, 1, None, True),
    ],
)
def test_who_was_called_back_stays_ten_minutes_for_a_better_one_may_only_flicker(phase, joins, since, may):
    own = endpoint(rank=5)
    seen = observed(membership=val(view(*peers(True, first=0), own=own)))
    kept = saved(phase, joins=(NOW - 700,) * joins, serving_since=since)
    assert (may_not_leave(SOFT, facts(seen=seen, kept=kept)) == "") is may


def test_a_soft_cause_yields_only_to_an_effective_endpoint_of_higher_rank():
    assert may_not_leave(SOFT, among(*peers(True, first=0), rank=5)) == ""
    assert may_not_leave(SOFT, among(*peers(False, first=0), rank=5)) != ""
    assert may_not_leave(SOFT, among(*peers(True), rank=0)) != ""
    assert may_not_leave(SOFT, BLIND) != ""


def test_ties_of_rank_go_by_name():
    assert may_not_leave(SOFT, among(endpoint("aaa", rank=3), rank=3)) == ""
    assert may_not_leave(SOFT, among(endpoint("zzz", rank=3), rank=3)) != ""


def test_who_reads_out_takes_nothing_from_anybody_but_a_soft_cause_does_not_push_it():
    lonely = observed(membership=val(out_view(endpoint("peer", effective=False))))
    assert may_not_leave(INFERRED, facts(seen=lonely)) == ""
    assert may_not_leave(HELD, facts(seen=lonely)) == ""
    assert may_not_leave(SOFT, facts(seen=lonely)) != ""
    enabling = saved(last_write=Write(True, NOW + 1))
    assert may_not_leave(HELD, facts(seen=lonely, kept=enabling)) != ""


def test_the_last_one_leaves_by_its_verdict_alone_unless_told_otherwise():
    assert verdict_alone(among(*peers(False)))
    assert verdict_alone(facts(seen=observed(membership=failed()), wish=desired(ALONE)))
    assert verdict_alone(among(*peers(False), going_until=NOW + 25))
    assert not verdict_alone(among(*peers(True)))
    assert not verdict_alone(BLIND)
    assert not verdict_alone(among(*peers(False), hold=Hold("", last=True)))


def test_a_soft_absence_ends_by_a_reading_that_forbids_it():
    assert soft_ends(among(*peers(True, first=0), rank=5)) == ""
    assert soft_ends(among(*peers(False, first=0), rank=5)) != ""
    assert soft_ends(facts(wish=desired(ALONE))) != ""


def test_a_soft_absence_does_not_end_by_missing_readings_but_where_there_are_never_any():
    old = saved(Phase.OUT, since=NOW - 601)
    unread = observed(membership=failed())
    assert soft_ends(facts(seen=unread, kept=old)) == ""
    pull = desired(Terms(membership=MembershipKind.PULL))
    assert soft_ends(facts(seen=unread, kept=old, wish=pull)) != ""
    assert soft_ends(facts(seen=unread, kept=saved(Phase.OUT, since=NOW - 599), wish=pull)) == ""
