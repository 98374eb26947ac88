"""What a host does while out: each label by its own facts, and one for every host."""

import pytest
from tests.support.build import (
    BOOT,
    NOW,
    cause,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    leaving,
    memory,
    observed,
    saved,
    val,
    view,
)

from inferagent.model.change import changed
from inferagent.model.desired import Hold, Terms
from inferagent.model.health import CauseKind, Component, Finding, Health, Repair
from inferagent.model.phase import Label, Phase
from inferagent.model.saved import Fault
from inferagent.model.unit import UnitState
from inferagent.policy.labels import dark, label

BETTER = val(view(endpoint("peer", rank=0), own=endpoint(rank=5, effective=False)))
PARKED = cause(CauseKind.SOFT, "parked")
GONE = cause(repair=Repair.START_ENGINE)
CUT = cause(code="no-edge", component=Component.CONNECTOR, repair=Repair.RESTART_CONNECTOR)
NO_CONNECTOR = cause(code="connector-missing", component=Component.CONNECTOR)
RESTARTING = val(dead(UnitState.RESTARTING))
UNASKED = memory(generation_ok_at=None)
FAULT = Fault(BOOT, "GPU-0", "lost", "lost", NOW)
SPENT = (NOW - 900, NOW - 600, NOW - 301)


def of(*causes, wish=None, **fields) -> Label | None:
    seen = {key: fields.pop(key) for key in ("engine_unit", "membership", "save") if key in fields}
    return label(facts(*causes, seen=observed(**seen), kept=leaving(Phase.OUT, **fields), wish=wish))


@pytest.mark.parametrize("phase", [Phase.JOINING, Phase.SERVING, Phase.DRAINING])
def test_only_a_host_that_is_out_has_one(phase):
    assert label(facts(kept=saved(phase))) is None


def test_each_label_has_its_story():
    assert of(wish=desired(configured=False)) is Label.UNCONFIGURED
    assert of(wish=desired(installing="ollama")) is Label.INSTALLING
    assert of(wish=desired(hold=Hold(""))) is Label.HELD
    assert of(other_hand=True) is Label.HELD
    assert of(cause(code="engine-stopped-by-person")) is Label.HELD
    assert of(wish=desired(going_until=NOW + 9)) is Label.WAITING
    assert of(cause(), faults=(FAULT,)) is Label.WAITING
    assert of(cause(), engine_unit=RESTARTING) is Label.WAITING
    assert of(CUT) is Label.RECONNECTING
    assert of(GONE) is Label.RECOVERING
    assert of(GONE, restarts=SPENT) is Label.NEEDS_OPERATOR
    assert of(cause(code="model-missing")) is Label.NEEDS_OPERATOR
    assert of(memory=UNASKED) is Label.WARMING
    assert of(PARKED, membership=BETTER) is Label.PARKED
    assert of() is Label.READY


def test_the_first_that_fits_is_taken():
    assert of(GONE, wish=desired(hold=Hold(""), installing="ollama")) is Label.INSTALLING
    assert of(GONE, CUT) is Label.RECONNECTING


def test_a_fault_of_a_gpu_that_the_engine_does_not_use_makes_nobody_wait():
    fault = Fault(BOOT, "GPU-0", "lost", "lost", NOW, index=0)
    assert of(GONE, faults=(fault,), wish=desired(Terms(gpus=(1,)))) is Label.RECOVERING
    assert of(GONE, faults=(fault,), wish=desired(Terms(gpus=(0,)))) is Label.WAITING


def test_a_soft_absence_that_is_over_is_not_parked():
    parked = facts(PARKED, seen=observed(membership=BETTER), kept=leaving(Phase.OUT))
    assert label(parked) is Label.PARKED
    assert label(changed(parked, called_back=True)) is Label.READY


def test_an_engine_that_we_stopped_warms_and_is_not_parked():
    stopped = cause(CauseKind.SOFT, "engine-stopped", repair=Repair.START_ENGINE)
    assert of(stopped, membership=BETTER, memory=UNASKED) is Label.WARMING


@pytest.mark.parametrize("state", [UnitState.RESTARTING, UnitState.STARTING, UnitState.STOPPING])
def test_an_engine_that_is_not_back_within_five_minutes_needs_a_person(state):
    gone = val(dead(state))
    assert of(cause(since=NOW - 299), engine_unit=gone) is Label.WAITING
    assert of(cause(since=NOW - 300), engine_unit=gone) is Label.NEEDS_OPERATOR


def test_an_engine_that_keeps_dying_is_waited_for_until_the_budget_is_spent():
    assert of(cause(), engine_unit=RESTARTING, restarts=SPENT[1:]) is Label.WAITING
    assert of(cause(), engine_unit=RESTARTING, restarts=SPENT) is Label.NEEDS_OPERATOR
    assert of(memory=UNASKED, restarts=SPENT) is Label.WARMING, "the last of our own tries"
    beyond = {"memory": UNASKED, "restarts": (*SPENT, NOW - 1)}
    assert of(**beyond) is Label.NEEDS_OPERATOR, "it lives just now, and has died in each of its starts"
    assert of(restarts=SPENT) is Label.READY, "it answers"


def test_an_engine_that_may_not_be_restarted_for_want_of_room_needs_a_person():
    hung = cause(CauseKind.INFERRED, "engine-hung", repair=Repair.RESTART_ENGINE)
    assert of(hung, save=failed()) is Label.NEEDS_OPERATOR
    assert of(hung) is Label.RECOVERING


def test_a_connector_that_no_restart_brings_needs_a_person():
    assert of(NO_CONNECTOR) is Label.NEEDS_OPERATOR
    assert of(NO_CONNECTOR, CUT) is Label.NEEDS_OPERATOR


@pytest.mark.parametrize("code", ["engine-unit-unknown", "engine-look-unknown", "connector-unknown"])
def test_what_nobody_can_read_for_five_minutes_needs_a_person(code):
    def unread(age: float, code: str = code):
        finding = Finding(code, Component.ENGINE, Health.UNKNOWN, "engine: cannot read", NOW - age)
        return changed(facts(kept=leaving(Phase.OUT, memory=UNASKED)), findings=(finding,))

    assert (label(unread(299)), dark(unread(299))) == (Label.WARMING, "")
    assert (label(unread(300)), dark(unread(300))) == (Label.NEEDS_OPERATOR, "engine: cannot read")
    assert dark(unread(300, "membership-unknown")) == ""


def test_an_old_proof_is_ready_and_one_older_than_the_cause_is_warming():
    assert of(memory=memory(generation_ok_at=NOW - 900)) is Label.READY
    assert of(memory=memory(generation_ok_at=NOW - 9), proof_floor=NOW - 8) is Label.WARMING
