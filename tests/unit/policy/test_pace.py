"""How often to look and to ask."""

import pytest
from tests.support.build import (
    NOW,
    cause,
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
    val,
)

from inferagent.model.desired import EngineKind, Terms
from inferagent.model.engine import Outcome
from inferagent.model.health import CauseKind
from inferagent.model.phase import Phase
from inferagent.policy.facts import Facts
from inferagent.policy.pace import pace, suspected

OLLAMA = desired(Terms(engine=EngineKind.OLLAMA))
HUNG = cause(CauseKind.INFERRED, "engine-hung")
STALE = memory(generation_ok_at=NOW - 90)
UNASKED = memory(generation_ok_at=None)


def asks(found: Facts, join_open: bool = False) -> float | None:
    return pace(found, join_open).generation


def test_a_serving_vllm_is_asked_when_no_real_answer_came_for_a_minute():
    assert asks(facts()) is None
    assert asks(facts(kept=saved(memory=memory(moved_at=NOW - 60)))) == 60.0
    assert asks(facts(kept=saved(memory=memory(moved_at=None)))) == 60.0


def test_a_serving_ollama_is_asked_on_suspicion_only():
    idle = memory(moved_at=NOW - 9999)
    assert asks(facts(kept=saved(memory=idle), wish=OLLAMA)) is None
    stuck = memory(moved_at=NOW - 11, load_since=NOW - 99)
    assert asks(facts(kept=saved(memory=stuck), wish=OLLAMA)) == 5.0


def test_joining_is_asked_every_thirty_seconds_and_an_adopted_host_at_once():
    assert asks(facts(kept=saved(Phase.JOINING))) == 30.0
    assert asks(facts(seen=observed(generation=failed()), kept=saved(Phase.JOINING))) == 5.0


@pytest.mark.parametrize("phase", [Phase.JOINING, Phase.SERVING])
def test_an_enabling_write_that_lacks_its_proof_is_asked_for(phase):
    disabled = observed(membership=val(out_view()))
    assert asks(facts(seen=disabled, kept=saved(phase, memory=STALE), wish=OLLAMA)) == 5.0
    assert asks(facts(seen=disabled, kept=saved(phase), wish=OLLAMA)) in (None, 30.0)
    hold = saved(phase, memory=STALE, other_hand=True)
    assert asks(facts(seen=disabled, kept=hold, wish=OLLAMA)) in (None, 30.0)


@pytest.mark.parametrize("phase", [Phase.OUT, Phase.DRAINING])
def test_outside_it_is_asked_when_only_the_proof_is_missing(phase):
    assert asks(facts(kept=leaving(phase)), join_open=True) == 5.0
    assert asks(facts(kept=leaving(phase))) is None
    assert asks(facts(cause(CauseKind.OPERATOR, "hold"), kept=leaving(phase, memory=UNASKED))) is None


def test_a_warming_vllm_is_asked_and_an_ollama_is_not_made_to_load():
    assert asks(facts(kept=leaving(Phase.OUT, memory=UNASKED))) == 5.0
    assert asks(facts(kept=leaving(Phase.OUT, memory=UNASKED), wish=OLLAMA)) is None


def test_causes_that_only_a_generation_ends_are_asked_about():
    for code in ("engine-restarted", "generation-failed"):
        assert asks(facts(cause(code=code), kept=leaving())) == 5.0
    both = (cause(code="engine-restarted"), cause(code="no-edge"))
    assert asks(facts(*both, kept=leaving())) is None


def test_a_hung_engine_is_asked_soon_after_leaving_and_then_every_thirty_seconds():
    assert asks(facts(HUNG, kept=leaving(left=NOW - 3))) == 5.0
    assert asks(facts(HUNG, kept=leaving(left=NOW - 9))) == 30.0
    quick = desired(Terms(hang_frozen=5.0))
    assert asks(facts(HUNG, kept=leaving(left=NOW - 9), wish=quick)) == 5.0


def test_a_refusing_port_is_not_asked_and_an_unknown_one_only_inside():
    refuses, unknown = look(accepts=val(False)), look(accepts=failed())
    doubt = memory(generation_bad=1)
    assert asks(facts(seen=observed(engine=refuses), kept=saved(memory=doubt))) is None
    assert asks(facts(seen=observed(engine=unknown), kept=saved(memory=doubt))) == 5.0
    assert asks(facts(seen=observed(engine=unknown), kept=leaving()), join_open=True) is None


@pytest.mark.parametrize(
    ("fields", "last", "doubt"),
    [
        ({}, Outcome.OK, False),
        ({"generation_bad": 1}, Outcome.WRONG, True),
        ({"moved_at": NOW - 99}, Outcome.UNANSWERED, True),
        ({"moved_at": NOW - 1}, Outcome.UNANSWERED, False),
        ({"moved_at": None}, Outcome.UNANSWERED, True),
        ({"moved_at": NOW - 4, "load_since": NOW - 9}, Outcome.OK, True),
        ({"moved_at": NOW - 2, "load_since": NOW - 9}, Outcome.OK, False),
    ],
)
def test_suspicion(fields, last, doubt):
    seen = observed(generation=val(generation(last, NOW - 10)))
    assert suspected(facts(seen=seen, kept=saved(memory=memory(**fields)))) is doubt


def test_the_pool_is_read_often_only_while_it_matters():
    def reads(*causes, **kept) -> float:
        return pace(facts(*causes, kept=saved(**kept)), False).membership

    assert reads() == 15.0
    assert reads(phase=Phase.JOINING) == 3.0
    assert reads(phase=Phase.JOINING, since=NOW - 300) == 15.0
    assert reads(cause()) == 3.0
    assert reads(cause(), phase=Phase.OUT) == 15.0
    assert reads(HUNG, memory=memory(wait_since=NOW)) == 1.0
    held, kept_in = (cause(CauseKind.OPERATOR, "hold", since=NOW - age) for age in (29, 30))
    assert (reads(held), reads(kept_in)) == (1.0, 15.0), "a hold decides on a reading begun after it"
    assert reads(held, phase=Phase.OUT) == 15.0


def test_looks_are_quicker_while_draining_or_in_doubt():
    assert pace(facts(), False).look == 2.0
    assert pace(facts(kept=leaving()), False).look == 1.0
    assert pace(facts(kept=saved(memory=memory(generation_bad=1))), False).look == 1.0


@pytest.mark.parametrize(
    ("phase", "failed_at", "begun", "doubt"),
    [
        (Phase.SERVING, NOW - 1, NOW - 2, True),
        (Phase.SERVING, NOW - 1, NOW - 1, True),
        (Phase.SERVING, NOW - 2, NOW - 1, False),
        (Phase.SERVING, NOW - 61, NOW - 99, False),
        (Phase.SERVING, None, NOW - 99, False),
        (Phase.OUT, NOW - 1, NOW - 2, False),
    ],
)
def test_an_error_that_a_user_got_is_asked_about_once_and_only_inside(phase, failed_at, begun, doubt):
    seen = observed(generation=val(generation(Outcome.OK, begun)))
    kept = saved(phase, memory=memory(failed_at=failed_at))
    assert suspected(facts(seen=seen, kept=kept)) is doubt
    asked = facts(seen=seen, kept=kept, wish=OLLAMA)
    assert (asks(asked) == 5.0) is doubt


@pytest.mark.parametrize(("bad", "seconds"), [(0, None), (1, 5.0), (2, None)])
def test_a_wrong_answer_while_out_is_asked_about_until_it_is_judged(bad, seconds):
    kept = leaving(Phase.OUT, memory=memory(generation_ok_at=None, generation_bad=bad))
    assert asks(facts(kept=kept, wish=OLLAMA)) == seconds
