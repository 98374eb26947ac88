"""The engine's causes, each by its own evidence, and none from a reading that is missing."""

from dataclasses import replace

import pytest
from tests.support.build import (
    NOW,
    dead,
    desired,
    facts,
    failed,
    generation,
    look,
    memory,
    observed,
    saved,
    unit,
    val,
)

from inferagent.model.desired import EngineKind, Terms
from inferagent.model.engine import Load, Outcome
from inferagent.model.health import CauseKind, Repair
from inferagent.model.phase import Phase
from inferagent.model.reading import NotAvailable
from inferagent.model.unit import UnitState
from inferagent.policy.facts import Facts
from inferagent.policy.judge_engine import judge_engine

UNANSWERED = generation(Outcome.UNANSWERED, NOW - 20, 6.0)
STILL = memory(moved_at=NOW - 40, load_since=NOW - 40, asked_since=NOW - 20)


def codes(seen: Facts) -> list[str]:
    return [cause.code for cause in judge_engine(seen)[1].causes]


def only(seen: Facts):
    (cause,) = judge_engine(seen)[1].causes
    return cause


def with_unit(found: object, **kept: object) -> Facts:
    return facts(seen=observed(engine_unit=val(found)), kept=saved(**kept))


def test_a_healthy_engine_has_no_cause():
    assert codes(facts()) == []


@pytest.mark.parametrize(
    ("found", "code", "repair"),
    [
        (dead(exit="exit code 0"), "engine-gone", Repair.START_ENGINE),
        (dead(UnitState.FAILED, exit="exit code 1"), "engine-gone", Repair.START_ENGINE),
        (dead(UnitState.RESTARTING), "engine-gone", Repair.NONE),
        (dead(UnitState.STOPPING), "engine-gone", Repair.NONE),
        (dead(stopped_by_person=True), "engine-stopped-by-person", Repair.NONE),
        (dead(UnitState.MISSING), "engine-missing", Repair.NONE),
        (dead(UnitState.MASKED), "engine-masked", Repair.NONE),
    ],
)
def test_a_process_that_is_gone_counts_at_once(found, code, repair):
    cause = only(with_unit(found))
    assert (cause.code, cause.kind, cause.repair) == (code, CauseKind.CERTAIN, repair)


def test_an_engine_that_we_stopped_is_no_illness():
    cause = only(with_unit(dead(), phase=Phase.OUT, stopped_engine=True))
    assert (cause.kind, cause.repair) == (CauseKind.SOFT, Repair.START_ENGINE)


def test_a_unit_that_cannot_be_read_is_said_and_is_no_cause():
    _, judgement = judge_engine(facts(seen=observed(engine_unit=failed())))
    assert judgement.causes == ()
    assert [finding.code for finding in judgement.findings] == ["engine-unit-unknown"]


def refusing(kept, at: float = NOW) -> Facts:
    ill = failed(at)
    seen = observed(now=at, engine=look(at, accepts=val(False, at), models=ill, progress=ill, load=ill))
    return facts(seen=seen, kept=kept)


def test_a_port_that_refuses_twice_counts_once_it_had_accepted():
    first, judged = judge_engine(refusing(saved()))
    assert judged.causes == ()
    assert codes(refusing(saved(memory=first), NOW + 2)) == ["engine-refuses"]


def test_the_port_of_an_engine_that_is_being_stopped_refuses_for_that():
    first, _ = judge_engine(refusing(saved()))
    then = refusing(saved(memory=first), NOW + 2)
    stopping = replace(then.observed, engine_unit=val(replace(unit(), state=UnitState.STOPPING)))
    assert "is being stopped" in only(replace(then, observed=stopping)).text
    assert "is being stopped" not in only(then).text


def test_the_port_of_an_engine_that_is_starting_may_refuse():
    fresh = saved(Phase.OUT, memory=memory(accepted=False, generation_ok_at=None))
    first, _ = judge_engine(refusing(fresh))
    assert codes(refusing(saved(Phase.OUT, memory=first), NOW + 2)) == []


def test_after_an_agents_restart_the_phase_tells_that_the_port_had_accepted():
    first, _ = judge_engine(refusing(saved(memory=memory(accepted=False))))
    assert codes(refusing(saved(memory=first), NOW + 2)) == ["engine-refuses"]


@pytest.mark.parametrize("kind", list(EngineKind))
def test_a_missing_model_is_certain_cannot_be_restarted_away_and_outlasts_a_failing_list(kind):
    wish = desired(Terms(engine=kind))
    kept = saved()
    for at in (NOW, NOW + 2):
        seen = observed(now=at, engine=look(at, models=val(frozenset({"other"}), at)))
        found, judged = judge_engine(facts(seen=seen, kept=kept, wish=wish))
        kept = saved(memory=found)
    assert [(c.code, c.repair) for c in judged.causes] == [("model-missing", Repair.NONE)]
    blind = facts(seen=observed(engine=look(models=failed(NOW + 4))), kept=kept, wish=wish)
    assert codes(blind) == ["model-missing"]


def test_wrong_answers_of_an_engine_without_the_model_are_its_consequence():
    gone = observed(now=NOW + 2, engine=look(at=NOW + 2, models=val(frozenset({"other"}), NOW + 2)))
    known_gone, _ = judge_engine(
        facts(seen=observed(engine=look(models=val(frozenset({"other"})))), kept=saved())
    )
    kept = saved(memory=replace(known_gone, generation_bad=2))
    found, judged = judge_engine(facts(seen=gone, kept=kept))
    assert [c.code for c in judged.causes] == ["model-missing"]
    assert found.generation_bad == 0


def test_they_are_so_from_the_first_list_on_that_lacks_it():
    """The list is read every ten seconds, a generation is asked for every five."""
    lacks = observed(engine=look(models=val(frozenset({"other"}))))
    found, judged = judge_engine(facts(seen=lacks, kept=saved(memory=memory(generation_bad=2))))
    assert judged.causes == ()
    assert found.generation_bad == 0


def test_a_life_that_the_phase_does_not_rest_on_is_a_cause_until_it_has_generated():
    other = observed(engine_unit=val(unit("e2")))
    fresh = memory(incarnation="e2", generation_ok_at=None)
    assert codes(facts(seen=other, kept=saved(memory=fresh))) == ["engine-restarted"]
    assert codes(facts(seen=other, kept=saved(Phase.DRAINING, memory=fresh))) == ["engine-restarted"]
    proven = replace(fresh, generation_ok_at=NOW)
    assert codes(facts(seen=other, kept=saved(Phase.DRAINING, memory=proven))) == []
    assert codes(facts(seen=other, kept=saved(Phase.OUT, memory=fresh))) == []


def starting(**fields: object) -> Facts:
    base = memory(accepted=False, generation_ok_at=None, warm_looked_at=NOW, warm_moved_at=NOW - 601)
    refuses = look(accepts=val(False), models=failed(), progress=failed(), load=failed())
    return facts(seen=observed(engine=refuses), kept=saved(Phase.OUT, memory=replace(base, **fields)))


def test_a_start_without_progress_for_ten_minutes_is_inferred():
    assert only(starting()).kind is CauseKind.INFERRED
    assert codes(starting(warm_moved_at=NOW - 599)) == []
    assert codes(starting(warm_moved_at=None)) == []


def test_a_model_that_nobody_asked_for_need_not_load():
    idle = memory(generation_ok_at=None, warm_looked_at=NOW, warm_moved_at=NOW - 9999)
    assert codes(facts(kept=saved(Phase.OUT, memory=idle))) == []
    asked = replace(idle, asked_since=NOW - 700, moved_at=NOW - 700)
    assert codes(facts(kept=saved(Phase.OUT, memory=asked))) == ["warming-stuck"]


def test_a_load_is_not_stuck_while_the_engine_works_for_others():
    """One request at a time, the agent's question behind them, and no answer seen since its restart."""
    waiting = memory(
        generation_ok_at=None,
        warm_looked_at=NOW,
        warm_moved_at=NOW - 9999,
        asked_since=NOW - 700,
        moved_at=NOW - 599,
    )
    assert codes(facts(kept=saved(Phase.OUT, memory=waiting))) == []
    assert codes(facts(kept=saved(Phase.OUT, memory=replace(waiting, moved_at=NOW - 600)))) == [
        "warming-stuck"
    ]


def hung(**fields: object) -> Facts:
    seen: dict[str, object] = {"engine": look(load=val(Load(2, 0))), "generation": val(UNANSWERED)}
    kept = fields.pop("memory", STILL)
    return facts(seen=observed(**(seen | fields)), kept=saved(memory=kept))


def test_two_witnesses_make_a_hang():
    cause = only(hung())
    assert (cause.code, cause.kind) == ("engine-hung", CauseKind.INFERRED)


@pytest.mark.parametrize(
    "fields",
    [
        {"generation": val(generation(Outcome.OK, NOW - 20))},
        {"generation": val(generation(Outcome.BUSY, NOW - 20))},
        {"generation": failed()},
        {"generation": val(generation(Outcome.UNANSWERED, NOW - 20, 6.0, life="e0"))},
        {"engine": look(progress=failed())},
        {"engine": look(progress=NotAvailable(NOW))},
        {"memory": replace(STILL, moved_at=NOW - 10)},
        {"memory": replace(STILL, looked_at=NOW - 15)},
        {"memory": replace(STILL, load_since=NOW - 11, asked_since=NOW - 11)},
    ],
)
def test_one_witness_alone_makes_none(fields):
    assert codes(hung(**fields)) == []


def test_an_engine_without_traffic_is_given_thirty_seconds():
    waiting = replace(STILL, load_since=None)
    assert codes(hung(engine=look(), memory=waiting)) == []
    assert codes(hung(engine=look(), memory=replace(waiting, asked_since=NOW - 31))) == ["engine-hung"]


def test_two_wrong_answers_are_inferred():
    assert codes(facts(kept=saved(memory=memory(generation_bad=1)))) == []
    assert only(facts(kept=saved(memory=memory(generation_bad=2)))).code == "generation-failed"


def test_requests_that_stand_still_for_ten_minutes_need_no_question():
    stuck = memory(moved_at=NOW - 700, load_since=NOW - 601)
    assert codes(facts(kept=saved(memory=stuck))) == ["load-stuck"]
    assert codes(facts(kept=saved(memory=replace(stuck, load_since=NOW - 599)))) == []


def degraded(text: str, kept, at: float) -> Facts:
    return facts(seen=observed(now=at, engine=look(at, degraded=text)), kept=saved(memory=kept))


def test_an_engine_degraded_on_two_looks_is_a_soft_cause():
    once, judged = judge_engine(degraded("runs on the CPU", memory(), NOW))
    assert judged.causes == ()
    assert only(degraded("runs on the CPU", once, NOW + 2)).kind is CauseKind.SOFT
    again, _ = judge_engine(degraded("", once, NOW + 2))
    assert codes(degraded("runs on the CPU", again, NOW + 4)) == []


def test_a_look_that_fails_takes_a_degraded_engine_not_back():
    kept = memory(falls=(("engine-degraded", 2, NOW - 2),))
    blind = look(accepts=failed(), models=failed(), progress=failed(), load=failed())
    cause = only(facts(seen=observed(engine=blind), kept=saved(memory=kept)))
    assert (cause.code, cause.text) == ("engine-degraded", "the engine was degraded when last read")


def silent(phase: Phase = Phase.OUT, last=None, engine=None, **fields: object) -> list[str]:
    last = last or generation(Outcome.UNANSWERED, NOW - 10, 6.0)
    kept = replace(memory(moved_at=NOW - 700, asked_since=NOW - 610), **fields)
    seen = observed(engine=engine or look(), generation=val(last))
    return codes(facts(seen=seen, kept=saved(phase, memory=kept)))


def test_out_an_engine_that_answers_no_question_for_ten_minutes_is_ill_by_the_time_alone():
    """Its counters may be off (--disable-log-stats), so that nothing else could ever tell."""
    blind = look(progress=NotAvailable(NOW), load=NotAvailable(NOW))
    assert "generation-failed" in silent()
    assert silent(engine=blind, moved_at=None) == ["generation-failed"]
    assert not silent(last=generation(Outcome.BUSY, NOW - 10), engine=blind, moved_at=None), "busy is health"
    queue = look(progress=NotAvailable(NOW), load=NotAvailable(NOW), lan=val(5))
    assert not silent(engine=queue, moved_at=None), "it waits behind others"


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"phase": Phase.SERVING}, {}),
        ({"phase": Phase.DRAINING}, {}),
        ({"last": generation(Outcome.OK, NOW - 10)}, {}),
        ({"last": generation(Outcome.BUSY, NOW - 10, life="e0")}, {}),
        ({}, {"asked_since": NOW - 609}),
        ({}, {"asked_since": None}),
        ({}, {"moved_at": NOW - 608}),
    ],
)
def test_not_while_somebody_is_served_or_something_moves_or_too_early(fields, kept):
    assert "generation-failed" not in silent(**fields, **kept)
