"""What the saved state learns from readings: writes, other hands, adoption, resume."""

from dataclasses import replace

import pytest
from tests.support.build import (
    BOOT,
    NOW,
    PEER,
    cause,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    leaving,
    look,
    memory,
    observed,
    out_view,
    saved,
    val,
    view,
)

from inferagent.model.desired import Mode, Terms
from inferagent.model.health import CauseKind
from inferagent.model.host import HostLook
from inferagent.model.membership import MembershipKind
from inferagent.model.observed import Job
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER
from inferagent.model.saved import Saved, Write
from inferagent.policy.track import track
from inferagent.policy.wake import wake

DISABLED = observed(membership=val(out_view()))
ENABLED = observed()
CONFIRMED = Write(True, NOW - 90, answered=True, confirmed=True)


def after(seen=ENABLED, kept: Saved | None = None, wish=None, *causes) -> Saved:
    return track(facts(*causes, seen=seen, kept=kept or saved(last_write=CONFIRMED), wish=wish))


def test_a_write_is_confirmed_by_a_reading_begun_after_it():
    pending = saved(Phase.DRAINING, last_write=Write(False, NOW - 5))
    found = after(DISABLED, pending)
    assert (found.last_write, found.baseline) == (Write(False, NOW - 5, confirmed=True), False)
    early = saved(Phase.DRAINING, last_write=Write(False, NOW))
    unread = after(DISABLED, early)
    assert (unread.last_write, unread.baseline) == (early.last_write, early.baseline)
    assert after(ENABLED, pending).last_write == pending.last_write


@pytest.mark.parametrize(("error", "answered", "unanswered"), [("", True, None), ("cannot", False, NOW - 1)])
def test_the_end_of_the_job_tells_whether_a_write_was_answered(error, answered, unanswered):
    job = Job(begun=NOW - 5, ended=NOW - 1, error=error)
    seen = observed(membership=failed(), jobs=(("push", job),))
    found = after(seen, saved(last_write=Write(True, NOW - 5)))
    assert found.last_write is not None
    assert (found.last_write.answered, found.unanswered_at) == (answered, unanswered)


@pytest.mark.parametrize("phase", [Phase.JOINING, Phase.SERVING, Phase.OUT])
def test_a_disable_that_flips_the_baseline_is_another_hands(phase):
    kept = saved(phase, last_write=CONFIRMED)
    assert after(DISABLED, kept).other_hand
    assert not after(replace(DISABLED, membership=val(out_view(), NOW - 91)), kept).other_hand


@pytest.mark.parametrize(
    "fields",
    [
        {"baseline": False},
        {"baseline": None},
        {"last_write": Write(True, NOW - 90)},
        {"unanswered_at": NOW - 899},
    ],
)
def test_what_may_be_our_own_is_not_another_hands(fields):
    assert not after(DISABLED, saved(**({"last_write": CONFIRMED} | fields))).other_hand


def test_an_unanswered_write_is_forgotten_after_15_minutes():
    assert after(DISABLED, saved(last_write=CONFIRMED, unanswered_at=NOW - 900)).other_hand


def test_only_a_pool_of_our_own_can_be_disabled_by_others():
    pull = desired(Terms(membership=MembershipKind.PULL))
    assert not after(DISABLED, None, pull).other_hand


def test_another_hand_that_reverts_ends_its_hold():
    found = after(ENABLED, saved(Phase.OUT, other_hand=True, baseline=False, last_write=CONFIRMED))
    assert (found.other_hand, found.baseline) == (False, True)


def test_being_enabled_inside_is_the_baseline_even_without_a_write():
    assert after(ENABLED, saved(baseline=False, last_write=CONFIRMED)).baseline is True
    assert after(ENABLED, saved(Phase.OUT, baseline=False, last_write=CONFIRMED)).baseline is False


def test_resume_ends_other_hands_hold_once_and_takes_the_present_as_baseline():
    kept = saved(Phase.OUT, other_hand=True, baseline=False, hold_off_until=NOW + 99, hold_off_level=3)
    found = after(DISABLED, kept, desired(resumed_at=NOW - 1))
    assert (found.other_hand, found.resume_free, found.baseline) == (False, True, False)
    assert (found.hold_off_until, found.hold_off_level) == (0.0, 3)
    again = replace(found, resume_free=False)
    assert not after(DISABLED, again, desired(resumed_at=NOW - 1)).resume_free
    assert after(DISABLED, again, desired(resumed_at=NOW + 1)).resume_free


def test_a_reading_begun_before_resume_is_no_baseline_and_so_nobodys_hand():
    """It may not show yet what the operator has just undone in the dashboard."""
    kept = saved(baseline=True, last_write=CONFIRMED)
    found = after(ENABLED, kept, desired(resumed_at=NOW))
    assert (found.baseline, found.other_hand) == (True, False), "inside, enabled is what it should be"
    stale = after(replace(DISABLED, membership=val(out_view(), NOW - 1)), kept, desired(resumed_at=NOW))
    assert (stale.baseline, stale.other_hand) == (False, False)
    seen = replace(memory(), pool_at=NOW - 3)
    later = saved(baseline=True, last_write=CONFIRMED, resumed_at=NOW - 2, memory=seen)
    assert not after(replace(DISABLED, membership=val(out_view(), NOW - 1)), later).other_hand


FRESH = replace(wake(None, NOW - 9, BOOT), memory=memory())


def adopted(seen=ENABLED, **terms) -> Saved:
    return after(seen, FRESH, desired(Terms(**terms)))


def test_a_host_that_is_effective_and_accepting_is_adopted_inside():
    found = adopted()
    assert (found.adopted, found.phase, found.baseline) == (True, Phase.JOINING, True)
    assert (found.incarnation, found.drain) == ("e1", None)


def test_a_port_that_nobody_has_looked_at_moves_nobody_outward():
    assert adopted(observed(engine=look(accepts=NEVER))).phase is Phase.JOINING
    assert adopted(observed(engine=look(accepts=val(False)))).phase is Phase.OUT
    assert adopted(observed(engine_unit=val(dead()))).phase is Phase.OUT


def test_nothing_is_adopted_before_the_pool_and_the_unit_are_read():
    assert not adopted(observed(membership=failed())).adopted
    assert not adopted(observed(engine_unit=failed())).adopted


def test_a_pool_found_disabled_was_disabled_by_setup_or_by_another_hand():
    assert adopted(DISABLED).other_hand
    assert not adopted(DISABLED, made_by_setup=True).other_hand


def test_an_observing_agent_adopts_nothing():
    assert not after(ENABLED, FRESH, desired(mode=Mode.OBSERVE)).adopted


def test_the_proof_must_be_newer_than_the_last_cause_and_the_last_sleep():
    ill = cause(CauseKind.CERTAIN, since=NOW - 3)
    assert after(ENABLED, None, None, ill).proof_floor == NOW - 3
    assert after(ENABLED, None, None, cause(CauseKind.OPERATOR)).proof_floor == 0.0
    slept = observed(host=val(HostLook(1, 1, 1, 0.0, resumed_at=NOW - 2)))
    assert after(slept).proof_floor == NOW - 2
    other_boot = observed(host=val(HostLook(1, 1, 1, 0.0, resumed_at=NOW + 999)))
    assert after(other_boot).proof_floor == 0.0


def test_an_hour_of_serving_makes_the_hold_off_short_again():
    kept = saved(hold_off_level=4, serving_since=NOW - 3600, last_write=CONFIRMED)
    assert after(ENABLED, kept).hold_off_level == 0
    assert after(ENABLED, replace(kept, serving_since=NOW - 3599)).hold_off_level == 4


def test_an_engine_that_runs_again_is_no_longer_one_that_we_stopped():
    kept = leaving(Phase.OUT, stopped_engine=True)
    assert not after(ENABLED, kept).stopped_engine
    assert after(observed(jobs=(("engine", Job(running=True)),)), kept).stopped_engine
    assert after(observed(engine_unit=val(dead())), kept).stopped_engine


def test_the_waits_of_an_inferred_cause_begin_and_end_with_it():
    hung = cause(CauseKind.INFERRED, "engine-hung")
    found = after(ENABLED, None, None, hung).memory
    assert (found.wait_since, found.kept_since) == (NOW, None)
    lonely = observed(membership=val(view(endpoint("peer", effective=False))))
    kept = saved(last_write=CONFIRMED, memory=memory(wait_since=NOW - 9, kept_since=NOW - 9))
    assert after(lonely, kept, None, hung).memory.kept_since == NOW - 9
    assert after(ENABLED, kept, None, hung).memory.kept_since is None
    assert after(lonely, kept).memory.wait_since is None
    stays = after(lonely, kept, None, hung)
    assert stays.memory.wait_since is None, "kept in by the majority"
    assert after(ENABLED, stays, None, hung).memory.wait_since == NOW, "its turn begins when it may leave"
    assert PEER.effective
