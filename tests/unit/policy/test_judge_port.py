"""A foreign program at the engine's port explains what else is wrong, and what it answers is not learnt."""

from dataclasses import replace

import pytest
from tests.support.build import (
    NOW,
    PEER,
    dead,
    desired,
    facts,
    failed,
    generation,
    leaving,
    look,
    memory,
    observed,
    out_view,
    saved,
    unit,
    val,
    view,
)

from inferagent.model.action import Restart, Start
from inferagent.model.engine import Occupant, Outcome
from inferagent.model.health import CauseKind, Repair
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER
from inferagent.model.saved import Saved
from inferagent.model.unit import UnitState
from inferagent.policy.budget import restarts
from inferagent.policy.decide import decide
from inferagent.policy.judge_engine import judge_engine
from inferagent.policy.judge_port import judge_port, port_pace

FOREIGN = Occupant(8000, 0, "python3")
UNPROVEN = memory(generation_ok_at=None)
WRONG = memory(generation_ok_at=None, generation_bad=2)
STARTING = val(unit(since=NOW - 10))
DYING = val(dead(UnitState.RESTARTING, exit="exit code 1", since=NOW - 1))


def seen(unit=STARTING, occupant=FOREIGN, **fields) -> Observed:
    """Of a host that is out."""
    disabled = val(out_view())
    return observed(**{"engine_unit": unit, "occupant": val(occupant), "membership": disabled} | fields)


def out(**fields) -> Saved:
    return leaving(Phase.OUT, **({"baseline": False} | fields))


def codes(found: Observed, kept: Saved) -> list[str]:
    return [cause.code for cause in judge_engine(facts(seen=found, kept=kept))[1].causes]


def test_it_is_certain_and_says_who_it_is_and_how_to_look():
    _, cause = judge_port(facts(seen=seen(), kept=saved(Phase.OUT, memory=UNPROVEN)))
    assert cause is not None
    assert (cause.kind, cause.repair, cause.code) == (CauseKind.CERTAIN, Repair.NONE, "port-taken")
    assert cause.text == "port 8000 belongs to another program (uid 0, python3)"
    assert cause.cure == "sudo ss -ltnp 'sport = :8000'"


def test_a_name_that_nobody_may_read_is_left_out():
    _, cause = judge_port(facts(seen=seen(occupant=Occupant(8000, 33))))
    assert cause is not None
    assert cause.text.endswith("(uid 33)")


def test_while_the_engine_lives_nothing_else_is_said_and_nothing_is_learnt():
    kept = saved(Phase.OUT, memory=replace(WRONG, falls=(("model-missing", 2, NOW - 2), ("x", 1, NOW))))
    found, judged = judge_engine(facts(seen=seen(), kept=kept))
    assert [cause.code for cause in judged.causes] == ["port-taken"]
    assert (found.generation_bad, found.generation_ok_at, found.accepted) == (0, None, False)
    assert found.falls == (("x", 1, NOW),)


def test_a_foreign_engine_that_answers_well_proves_nothing():
    decision = decide(seen(), desired(), out())
    assert decision.saved.memory.generation_ok_at is None
    assert decision.phase is Phase.OUT


def test_a_dead_engine_is_said_after_it_and_started_as_ever():
    found = seen(val(dead(UnitState.FAILED, exit="exit code 1", since=NOW - 400)))
    decision = decide(found, desired(), out(memory=replace(UNPROVEN, sinces=())))
    assert [cause.code for cause in decision.causes] == ["port-taken", "engine-gone"]
    assert [type(action) for action in decision.actions] == [Start]


def test_it_explains_an_older_death():
    kept = out(memory=replace(UNPROVEN, sinces=(("engine-gone", NOW - 60),)))
    decision = decide(seen(DYING), desired(), kept)
    assert decision.causes[0].code == "port-taken"
    assert decision.label is Label.NEEDS_OPERATOR
    assert decision.sentence == "out, needs-operator: port 8000 belongs to another program (uid 0, python3)"


def test_a_living_engine_is_not_restarted_for_a_foreign_programs_answers():
    wrong = val(generation(Outcome.WRONG, begun=NOW - 1, seconds=0.1))
    decision = decide(seen(generation=wrong), desired(), out(memory=WRONG))
    assert not any(isinstance(action, Restart) for action in decision.actions)
    unknown = decide(seen(occupant=None, generation=wrong), desired(), out(memory=WRONG))
    assert any(isinstance(action, Restart) for action in unknown.actions)


def test_a_serving_host_leaves():
    assert decide(seen(membership=val(view(PEER))), desired(), saved()).phase is Phase.DRAINING


@pytest.mark.parametrize("occupant", [NEVER, failed(), val(None)])
def test_what_is_not_known_to_be_foreign_changes_nothing(occupant):
    found = observed(engine_unit=DYING, occupant=occupant)
    assert codes(found, out(memory=UNPROVEN)) == ["engine-gone"]


def test_a_port_that_has_refused_since_is_free():
    refusing = look(accepts=val(False, NOW))
    assert codes(seen(engine=refusing), out(memory=UNPROVEN)) == []
    earlier = look(accepts=val(False, NOW - 1))
    assert codes(seen(engine=earlier), out(memory=UNPROVEN)) == ["port-taken"]


@pytest.mark.parametrize(
    ("unit", "kept"),
    [
        (dead(stopped_by_person=True), {}),
        (dead(), {"stopped_engine": True}),
        (dead(UnitState.MISSING), {}),
        (dead(UnitState.MASKED), {}),
    ],
)
def test_an_engine_that_is_not_to_run_needs_no_port(unit, kept):
    found = facts(seen=seen(val(unit)), kept=out(**kept))
    assert judge_port(found)[1] is None
    assert port_pace(found) is None


def test_starts_in_vain_count_no_more_once_the_port_is_free():
    vain = leaving(restarts=(NOW - 90, NOW - 60, NOW - 30), memory=replace(UNPROVEN, port_taken_at=NOW - 5))
    free = observed(engine_unit=DYING, occupant=val(None))
    assert restarts(facts(seen=free, kept=vain)) == []
    later = replace(vain, restarts=(*vain.restarts, NOW - 2))
    assert restarts(facts(seen=free, kept=later)) == [NOW - 2]


def test_starts_in_vain_count_while_it_is_taken():
    kept = out(restarts=(NOW - 90, NOW - 60, NOW - 30), memory=UNPROVEN)
    found = seen(val(dead(UnitState.FAILED, exit="exit code 1")), jobs=(("engine", Job()),))
    assert decide(found, desired(), kept).actions == ()


@pytest.mark.parametrize(
    ("found", "kept", "pace"),
    [
        (observed(), saved(), None),  # proven
        (observed(), saved(memory=memory(generation_bad=1)), 1.0),
        (observed(), saved(memory=memory(falls=(("model-missing", 1, NOW),))), 10.0),
        (observed(engine_unit=STARTING), saved(memory=UNPROVEN), 1.0),
        (observed(engine_unit=val(unit(since=NOW - 999))), saved(memory=UNPROVEN), 10.0),
        (observed(engine_unit=STARTING, engine=look(accepts=val(False))), saved(memory=UNPROVEN), None),
        (observed(engine_unit=DYING), saved(), 1.0),
        (observed(engine_unit=failed()), saved(), None),
    ],
)
def test_it_is_asked_only_while_there_is_reason(found, kept, pace):
    assert port_pace(facts(seen=found, kept=kept)) == pace


def test_it_is_asked_often_while_it_stands():
    found = seen(val(dead(UnitState.FAILED, since=NOW - 999)))
    assert decide(found, desired(), out(memory=UNPROVEN)).pace.port == 1.0
