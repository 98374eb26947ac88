"""Causes that come from people and the host, and what is said of the pool."""

import pytest
from tests.support.build import (
    NOW,
    PEER,
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

from inferagent.model.desired import Hold, Terms
from inferagent.model.health import CauseKind
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER
from inferagent.model.saved import Write
from inferagent.policy.judge_host import judge_host

HOLD = Hold("2026-11-22T12:00:00+00:00", "games")


def causes(wish=None, kept=None) -> list[tuple[CauseKind, str]]:
    found = judge_host(facts(wish=wish, kept=kept)).causes
    return [(cause.kind, cause.code) for cause in found]


def findings(**fields) -> list[str]:
    return [finding.code for finding in judge_host(facts(**fields)).findings]


def test_each_wish_is_a_cause_of_its_kind():
    assert causes() == []
    assert causes(desired(hold=HOLD)) == [(CauseKind.OPERATOR, "hold")]
    assert causes(kept=saved(other_hand=True)) == [(CauseKind.OPERATOR, "other-hand")]
    assert causes(desired(parked="idle")) == [(CauseKind.SOFT, "parked")]
    assert causes(desired(going_until=NOW + 25)) == [(CauseKind.CERTAIN, "host-going")]


def test_a_shutdown_that_was_called_off_has_its_cure():
    (going,) = judge_host(facts(wish=desired(going_until=NOW + 25))).causes
    assert going.cure == "inferagent resume, if the shutdown was called off"


def test_a_replica_is_never_parked():
    assert causes(desired(Terms(membership=MembershipKind.REPLICA), parked="idle")) == []


def test_what_the_agent_cannot_do_is_said():
    assert findings(seen=observed(save=failed())) == ["state-not-saved"]
    assert findings(seen=observed(save=NEVER, membership=NEVER)) == []
    assert findings(seen=observed(membership=failed())) == ["membership-unknown"]
    (unread,) = judge_host(facts(seen=observed(membership=failed()))).findings
    assert unread.cure == "inferagent doctor"
    assert findings(wish=desired(hold=Hold("", durable=False))) == ["hold-not-durable"]


def test_an_enable_by_another_hand_is_said():
    ours = Write(False, NOW - 90, answered=True, confirmed=True)
    out = leaving(Phase.OUT, baseline=False, last_write=ours)
    assert findings(kept=out) == ["enabled-by-another"]
    assert findings(kept=leaving(Phase.OUT, baseline=True, last_write=ours)) == []
    pending = leaving(Phase.OUT, baseline=False, last_write=Write(False, NOW - 1))
    assert findings(kept=pending) == []


SICK, UNASKED = endpoint(effective=False, enabled=True), endpoint(healthy=None)


@pytest.mark.parametrize(("own", "said"), [(SICK, "says unhealthy"), (UNASKED, "has not looked yet")])
def test_a_host_that_is_in_and_gets_no_users_is_said(own, said):
    seen = observed(membership=val(view(PEER, own=own)))
    (found,) = judge_host(facts(seen=seen)).findings
    assert found.code == "not-effective"
    assert said in found.text
    assert findings(seen=seen, kept=saved(Phase.JOINING, since=NOW - 241)) == ["not-effective"]
    assert findings(seen=seen, kept=saved(Phase.JOINING, since=NOW - 240)) == []
    assert findings(seen=seen, kept=leaving()) == []
    assert findings(seen=seen, kept=saved(since=NOW)) == [], "read before it was in"


def test_a_host_that_is_disabled_is_not_said_to_wait_for_its_monitor():
    assert findings(seen=observed(membership=val(out_view()))) == []


def test_requests_that_still_arrive_after_the_settling_are_said():
    assert findings(kept=leaving(memory=memory(arrived_at=NOW - 1))) == ["still-arriving"]
    assert findings(kept=leaving(memory=memory(arrived_at=NOW - 45))) == []
    assert findings(kept=leaving(memory=memory(arrived_at=NOW - 30))) == []
    assert findings(kept=leaving(left=NOW - 5, memory=memory(arrived_at=NOW - 1))) == []
