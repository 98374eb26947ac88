"""What the memory keeps of each tick's readings."""

import pytest
from tests.support.build import (
    NOW,
    connector,
    dead,
    failed,
    generation,
    look,
    memory,
    observed,
    unit,
    val,
    warming,
)

from inferagent.model.engine import Load, Outcome, Progress
from inferagent.model.saved import Memory
from inferagent.model.tunnel import Traffic
from inferagent.policy.evidence import gather, moved_since, still_for


def moving(number: float, at: float):
    return observed(now=at, engine=look(at, progress=val(Progress((("moves", number),)), at)))


def test_movement_and_stillness_are_told_by_looks():
    kept = gather(moving(1.0, NOW), Memory())
    kept = gather(moving(1.0, NOW + 9), kept)
    assert (kept.moved_at, kept.looked_at) == (NOW, NOW + 9)
    assert gather(moving(2.0, NOW + 11), kept).moved_at == NOW + 11


def test_a_gap_between_looks_says_nothing_of_stillness():
    kept = gather(moving(1.0, NOW), Memory())
    assert gather(moving(1.0, NOW + 3600), kept).moved_at == NOW + 3600


def test_a_new_life_of_the_engine_starts_its_evidence_afresh():
    kept = gather(observed(engine_unit=val(unit("e2")), generation=failed()), memory(generation_bad=2))
    assert (kept.incarnation, kept.generation_ok_at, kept.generation_bad) == ("e2", None, 0)


def test_a_unit_that_cannot_be_read_forgets_nothing():
    assert gather(observed(engine_unit=failed()), memory()).generation_ok_at == NOW - 5


def test_an_idle_engine_stands_still_in_health():
    assert still_for(memory(moved_at=NOW - 500)) == 0.0
    assert still_for(memory(moved_at=NOW - 500, load_since=NOW - 20)) == 20.0
    assert still_for(memory(moved_at=NOW - 10, asked_since=NOW - 20)) == 10.0
    assert still_for(Memory()) is None


def test_a_movement_of_the_question_itself_is_no_answer():
    assert not moved_since(memory(moved_at=NOW + 0.5), NOW)
    assert moved_since(memory(moved_at=NOW + 1.5), NOW)


def test_load_is_dated_from_its_first_look_and_ended_by_an_empty_one():
    busy = look(load=val(Load(1, 0)))
    kept = gather(observed(engine=busy), memory())
    assert (kept.load_since, kept.idle_since) == (NOW, None)
    kept = gather(observed(now=NOW + 5, engine=look(load=failed())), kept)
    assert (kept.load_since, kept.idle_since) == (NOW, None)
    kept = gather(observed(now=NOW + 6), kept)
    assert (kept.load_since, kept.idle_since) == (None, NOW + 6)


def test_users_whom_the_engine_does_not_count_yet_are_load_all_the_same():
    waiting = connector(traffic=val(Traffic(5, 1)))
    kept = gather(observed(engine=look(load=val(Load(0, 0))), connector=waiting), memory())
    assert kept.load_since == NOW


def asked(outcome: Outcome, begun: float, **fields: str):
    return observed(generation=val(generation(outcome, begun, **fields)))


def test_a_good_generation_is_kept_by_its_begin_and_counted_once():
    kept = gather(asked(Outcome.OK, NOW), memory(generation_bad=1, generation_mark=0.0))
    assert (kept.generation_ok_at, kept.generation_bad) == (NOW, 0)
    again = gather(asked(Outcome.WRONG, NOW + 1), gather(asked(Outcome.WRONG, NOW + 1), kept))
    assert again.generation_bad == 1


def test_a_generation_of_another_life_is_nobodys():
    kept = gather(asked(Outcome.WRONG, NOW, life="e0"), memory(generation_mark=0.0))
    assert kept.generation_bad == 0


def test_questions_unanswered_in_a_row_are_dated_by_the_first():
    kept = gather(asked(Outcome.UNANSWERED, NOW), memory(generation_mark=0.0))
    kept = gather(asked(Outcome.UNANSWERED, NOW + 5), kept)
    assert kept.asked_since == NOW
    assert gather(asked(Outcome.OK, NOW + 10), kept).asked_since is None


def test_an_engine_too_busy_to_answer_has_not_answered():
    kept = gather(asked(Outcome.BUSY, NOW), memory(generation_mark=0.0))
    kept = gather(asked(Outcome.UNANSWERED, NOW + 5), kept)
    assert (kept.asked_since, kept.generation_bad) == (NOW, 0)
    assert gather(asked(Outcome.WRONG, NOW + 10), kept).asked_since is None


def test_arrivals_are_the_growth_less_the_monitors_probes():
    kept = gather(observed(connector=connector(traffic=val(Traffic(5, 0))), asked=5), memory(arrived_at=1.0))
    assert kept.arrived_at == 1.0
    kept = gather(observed(connector=connector(traffic=val(Traffic(7, 0))), asked=5), kept)
    assert kept.arrived_at == NOW
    restarted = gather(observed(connector=connector(NOW + 5, traffic=val(Traffic(0, 0), NOW + 5))), kept)
    assert (restarted.arrivals, restarted.arrived_at) == (0, NOW)


def edge(ready: object, at: float):
    return observed(now=at, connector=connector(at, ready=ready))


def test_the_edge_is_away_since_the_first_look_that_said_so():
    kept = gather(edge(val(0), NOW), Memory())
    kept = gather(edge(failed(NOW + 5), NOW + 5), kept)
    kept = gather(edge(val(0, NOW + 10), NOW + 10), kept)
    assert (kept.no_edge_since, kept.edge_looked_at) == (NOW, NOW + 10)
    assert gather(edge(val(4, NOW + 12), NOW + 12), kept).no_edge_since is None


def test_looks_far_apart_do_not_add_up_to_a_lost_edge():
    kept = gather(edge(val(0), NOW), Memory())
    assert gather(edge(val(0, NOW + 300), NOW + 300), kept).no_edge_since == NOW + 300


@pytest.mark.parametrize(("read", "since"), [(0, NOW), (5 << 20, NOW + 9)])
def test_a_start_makes_progress_by_what_it_reads(read: int, since: float) -> None:
    kept = gather(observed(engine=warming()), Memory())
    assert gather(observed(engine=warming(NOW + 9, read)), kept).warm_moved_at == since


def test_a_sleep_in_the_middle_of_a_start_is_no_stand_still():
    kept = gather(observed(engine=warming()), Memory())
    assert gather(observed(engine=warming(NOW + 3600)), kept).warm_moved_at == NOW + 3600


def test_a_dead_engine_has_no_requests():
    kept = gather(observed(engine_unit=val(dead()), engine=look(load=failed())), memory(idle_since=None))
    assert kept.idle_since == NOW


def test_errors_that_users_got_are_the_growth_of_the_connectors_count():
    def seen(errors, at):
        return observed(now=at, connector=connector(traffic=val(Traffic(5, 0, errors), at)))

    kept = gather(seen(7, NOW), Memory())
    assert (kept.failed, kept.failed_at) == (7, None)
    assert gather(seen(7, NOW + 1), kept).failed_at is None
    assert gather(seen(None, NOW + 1), kept) == kept
    kept = gather(seen(8, NOW + 2), kept)
    assert (kept.failed, kept.failed_at) == (8, NOW + 2)
    restarted = gather(seen(0, NOW + 3), kept)
    assert (restarted.failed, restarted.failed_at) == (0, NOW + 2)
