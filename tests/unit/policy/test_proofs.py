"""Proofs of being out, of quiet, and of a join."""

from dataclasses import replace

import pytest
from tests.support.build import (
    NOW,
    cause,
    connector,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    generation,
    leaving,
    look,
    memory,
    observed,
    out_view,
    saved,
    val,
    view,
    warming,
)

from inferagent.model.desired import Hold, Terms
from inferagent.model.engine import Outcome
from inferagent.model.health import CauseKind, Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.saved import Drain, Write
from inferagent.model.tunnel import Traffic
from inferagent.policy import proofs
from inferagent.policy.facts import Facts

LONELY = endpoint("peer", effective=False)
HUNG = cause(CauseKind.INFERRED, "engine-hung", repair=Repair.RESTART_ENGINE)
DRAIN = Drain(NOW - 50, NOW + 70)


def going(seen=None, wish=None, *causes, **kept) -> Facts:
    return facts(*causes, seen=seen, kept=leaving(**kept), wish=wish)


def proof(seen=None, wish=None, **kept) -> str:
    found = going(seen, wish, **kept)
    assert found.saved.drain is not None
    return proofs.out_proof(found, found.saved.drain)


def test_the_pool_proves_by_a_reading_begun_after_leaving_and_after_our_write():
    assert proof(observed(membership=val(out_view()))) == proofs.DISABLED
    assert proof(observed(membership=val(out_view(), NOW - 25)), left=NOW - 20) == ""
    assert proof(observed(membership=val(out_view())), last_write=Write(False, NOW + 1)) == ""
    assert proof() == ""


def test_a_connector_without_connection_proves_by_a_look_after_leaving():
    away = observed(connector=connector(ready=val(0)))
    assert proof(away) == proofs.UNCONNECTED
    assert proof(observed(connector=connector(ready=val(0, NOW - 51)))) == ""
    assert proof(observed(connector_unit=val(dead()))) == proofs.UNCONNECTED


def test_the_verdict_proves_after_the_monitors_worst_case_unless_it_still_says_healthy():
    late = leaving(left=NOW - 241)
    sick = view(endpoint("peer"), own=endpoint(healthy=False))
    drain = late.drain
    assert proofs.out_proof(facts(seen=observed(membership=val(sick)), kept=late), drain) == proofs.MONITORED
    assert proofs.out_proof(facts(kept=late), drain) == ""
    replica = desired(Terms(membership=MembershipKind.REPLICA))
    seen = observed(membership=val(sick))
    assert proofs.out_proof(facts(seen=seen, kept=late, wish=replica), drain) == ""


def test_the_last_endpoint_is_out_by_its_verdict():
    assert proof(observed(membership=val(view(LONELY)))) == proofs.ALONE


def noted(found: Facts, **fields) -> Drain:
    kept = replace(found.saved, drain=replace(DRAIN, **fields))
    drain = proofs.prove(replace(found, saved=kept), kept).drain
    assert drain is not None
    return drain


def test_the_first_proof_is_dated_and_a_missing_reading_does_not_take_it_back():
    drain = noted(going(observed(membership=val(out_view()))))
    assert (drain.proven_at, drain.proof) == (NOW, proofs.DISABLED)
    blind = going(observed(membership=failed()))
    assert noted(blind, proven_at=NOW - 9, proof=proofs.DISABLED).proven_at == NOW - 9


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        (proofs.DISABLED, observed()),
        (proofs.UNCONNECTED, observed(membership=failed())),
        (proofs.ALONE, observed()),
        (proofs.MONITORED, observed()),
    ],
)
def test_a_reading_that_shows_the_opposite_takes_the_proof_back(name, seen):
    assert noted(going(seen), proven_at=NOW - 20, proof=name).proven_at is None


def settled(drain: Drain, **fields) -> Facts:
    fields.setdefault("membership", val(out_view()))
    return facts(
        seen=observed(**fields), kept=saved(Phase.DRAINING, drain=drain, memory=memory(arrived_at=NOW - 5))
    )


PROVEN = replace(DRAIN, proven_at=NOW - 10, proof=proofs.DISABLED)


def test_out_is_proven_after_settling():
    assert proofs.out_proven(settled(PROVEN))
    assert not proofs.out_proven(settled(replace(PROVEN, proven_at=NOW - 9)))
    assert not proofs.out_proven(settled(DRAIN))


def test_without_others_nothing_may_arrive_while_settling():
    alone = val(out_view(LONELY))
    assert not proofs.out_proven(settled(PROVEN, membership=alone))
    assert proofs.out_proven(settled(PROVEN, membership=alone, engine_unit=val(dead())))
    assert proofs.out_proven(settled(replace(PROVEN, proof=proofs.UNCONNECTED), membership=alone))


def test_the_proof_must_hold_again_when_the_engine_is_touched():
    assert proofs.proven_now(settled(PROVEN))
    assert not proofs.proven_now(settled(PROVEN, membership=failed()))


def quiet(*causes, **fields) -> bool:
    kept = memory(**({"arrived_at": NOW - 5} | fields.pop("memory", {})))
    return proofs.quiet(facts(*causes, seen=observed(**fields), kept=leaving(memory=kept)))


def test_quiet_is_three_seconds_without_requests_and_arrivals():
    assert quiet()
    assert not quiet(memory={"idle_since": NOW - 2})
    assert not quiet(memory={"idle_since": None})
    assert not quiet(memory={"arrived_at": NOW - 2})
    assert not quiet(connector=connector(traffic=failed()))
    assert quiet(connector=connector(traffic=val(Traffic(0, 0))), connector_unit=val(dead()))


def test_a_dead_engine_and_one_that_has_not_opened_yet_are_quiet():
    busy = {"idle_since": None}
    assert quiet(engine_unit=val(dead()), memory=busy)
    assert quiet(engine=warming(), memory=busy | {"accepted": False})
    assert not quiet(engine=warming(), memory=busy)
    assert not quiet(engine=look(accepts=failed()), memory=busy | {"accepted": False})


def test_where_nobody_else_could_answer_an_engine_that_does_not_serve_is_repaired():
    alone = val(view(LONELY))
    assert quiet(HUNG, membership=alone, memory={"idle_since": None})
    assert not quiet(cause(code="no-edge"), membership=alone, memory={"idle_since": None})


def test_a_hung_engines_requests_delay_its_repair_for_a_short_time_only():
    assert quiet(HUNG, memory={"idle_since": None})
    early = leaving(left=NOW - 10, memory=memory(idle_since=None))
    assert not proofs.quiet(facts(HUNG, kept=early))


def test_the_deadline_ends_a_drain_that_has_one():
    assert proofs.past_deadline(going(left=NOW - 120))
    assert not proofs.past_deadline(going(left=NOW - 119))
    assert not proofs.past_deadline(facts(kept=saved(drain=Drain(NOW - 999, None))))


@pytest.mark.parametrize(
    ("at", "floor", "good"),
    [(NOW - 5, NOW - 6, True), (None, 0.0, False), (NOW - 5, NOW - 5, False), (NOW - 61, 0.0, False)],
)
def test_a_join_is_proven_by_a_recent_generation_newer_than_the_last_cause(at, floor, good):
    found = facts(kept=saved(proof_floor=floor, memory=memory(generation_ok_at=at)))
    assert (proofs.join_unproven(found) == "") is good


def ill(*causes, last, still_since=NOW - 70, **fields) -> str:
    kept = memory(moved_at=still_since, asked_since=still_since)
    seen = observed(generation=val(last) if last else failed(), **fields)
    return proofs.still_ill(facts(*causes, seen=seen, kept=leaving(Phase.OUT, memory=kept)))


def unanswered(begun: float):
    return generation(Outcome.UNANSWERED, begun, 6.0)


def test_a_hang_is_repaired_when_a_question_after_leaving_shows_that_it_lasts():
    assert ill(HUNG, last=unanswered(NOW - 10)) == ""


@pytest.mark.parametrize(
    ("last", "still_since"),
    [
        (None, NOW - 300),
        (unanswered(NOW - 55), NOW - 300),
        (generation(Outcome.OK, NOW - 10), NOW - 300),
        (unanswered(NOW - 46), NOW - 300),
        (unanswered(NOW - 10), NOW - 60),
    ],
)
def test_an_engine_that_may_recover_is_left_alone(last, still_since):
    assert ill(HUNG, last=last, still_since=still_since) != ""


def test_a_question_from_before_leaving_confirms_no_hang():
    kept = memory(moved_at=NOW - 300, asked_since=NOW - 300)
    seen = observed(generation=val(unanswered(NOW - 30)))
    early = leaving(Phase.OUT, left=NOW - 20, memory=kept)
    assert proofs.still_ill(facts(HUNG, seen=seen, kept=early)) != ""


def test_wrong_answers_must_be_recent_too_but_a_refusing_port_is_not_asked():
    wrong = cause(CauseKind.INFERRED, "generation-failed")
    assert ill(wrong, last=generation(Outcome.WRONG, NOW - 10)) == ""
    assert ill(wrong, last=generation(Outcome.WRONG, NOW - 50)) != ""
    assert ill(wrong, last=None, engine=look(accepts=val(False))) == ""
    assert ill(cause(code="engine-refuses"), last=None) == ""


def test_the_operators_last_needs_the_proof_of_the_pool():
    wish = desired(hold=Hold("", last=True))
    assert proof(observed(membership=val(view(LONELY))), wish) == ""


@pytest.mark.parametrize("outcome", [Outcome.UNANSWERED, Outcome.BUSY])
def test_wrong_answers_that_gave_way_to_none_are_repaired_as_late_as_a_hang(outcome):
    wrong, last = cause(CauseKind.INFERRED, "generation-failed"), generation(outcome, NOW - 10, 6.0)
    assert ill(wrong, last=last, still_since=NOW - 60) != ""
    assert ill(wrong, last=last, still_since=NOW - 70) == ""
