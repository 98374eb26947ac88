"""The questions that several rules ask of one tick."""

from tests.support.build import (
    NOW,
    PEER,
    cause,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    generation,
    observed,
    unit,
    val,
    view,
)

from inferagent.model.desired import Terms
from inferagent.model.health import CauseKind


def test_an_old_reading_of_the_pool_is_unknown():
    seen = facts(seen=observed(membership=val(view(PEER), NOW - 31)))
    assert (seen.own, seen.peers, seen.others_effective, seen.alone) == (None, None, None, False)
    assert seen.read_at == float("-inf")


def test_alone_is_known_by_a_reading_or_by_configuration():
    assert facts(seen=observed(membership=val(view(endpoint("peer", effective=False))))).alone
    assert facts(seen=observed(membership=failed()), wish=desired(Terms(alone=True))).alone
    assert not facts().alone


def test_an_engine_is_dead_when_nothing_of_it_runs():
    assert facts(seen=observed(engine_unit=val(dead()))).engine_dead
    assert not facts(seen=observed(engine_unit=val(dead(leftovers=1)))).engine_dead
    assert not facts(seen=observed(engine_unit=failed())).engine_dead


def test_a_generation_speaks_of_the_life_that_was_asked():
    assert facts().generation == generation()
    assert facts(seen=observed(engine_unit=val(unit("e2")))).generation is None


def test_only_certain_and_inferred_causes_are_illness():
    assert facts(cause(CauseKind.OPERATOR), cause(CauseKind.SOFT)).ill is None
    inferred = cause(CauseKind.INFERRED)
    assert facts(inferred, cause(CauseKind.SOFT)).ill == inferred
