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
    leaving,
    memory,
    observed,
    saved,
    val,
    view,
)

from inferagent.model.desired import Hold
from inferagent.model.health import CauseKind, Component, Repair
from inferagent.model.phase import Label, Phase
from inferagent.model.saved import Fault
from inferagent.model.unit import UnitState
from inferagent.policy.labels import label

BETTER = val(view(endpoint("peer", rank=0), own=endpoint(rank=5, effective=False)))
PARKED = cause(CauseKind.SOFT, "parked")
GONE = cause(repair=Repair.START_ENGINE)
FAULT = Fault(BOOT, "GPU-0", "lost", "lost", NOW)
SPENT = (NOW - 900, NOW - 600, NOW - 301)


def of(*causes, wish=None, **fields) -> Label | None:
    seen = {key: fields.pop(key) for key in ("engine_unit", "membership") if key in fields}
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
    assert of(cause(), engine_unit=val(dead(UnitState.RESTARTING))) is Label.WAITING
    assert of(cause(component=Component.CONNECTOR)) is Label.RECONNECTING
    assert of(GONE) is Label.RECOVERING
    assert of(GONE, restarts=SPENT) is Label.NEEDS_OPERATOR
    assert of(cause(code="model-missing")) is Label.NEEDS_OPERATOR
    assert of(memory=memory(generation_ok_at=None)) is Label.WARMING
    assert of(PARKED, membership=BETTER) is Label.PARKED
    assert of() is Label.READY


def test_the_first_that_fits_is_taken():
    assert of(GONE, wish=desired(hold=Hold(""), installing="ollama")) is Label.INSTALLING
    assert of(GONE, cause(component=Component.CONNECTOR)) is Label.RECONNECTING


def test_a_soft_absence_that_is_over_is_not_parked():
    assert of(PARKED) is Label.READY


def test_an_engine_that_we_stopped_warms_and_is_not_parked():
    stopped = cause(CauseKind.SOFT, "engine-stopped", repair=Repair.START_ENGINE)
    assert of(stopped, membership=BETTER, memory=memory(generation_ok_at=None)) is Label.WARMING


def test_an_old_proof_is_ready_and_one_older_than_the_cause_is_warming():
    assert of(memory=memory(generation_ok_at=NOW - 900)) is Label.READY
    assert of(memory=memory(generation_ok_at=NOW - 9), proof_floor=NOW - 8) is Label.WARMING
