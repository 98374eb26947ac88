"""What an agent that has just started makes of the saved state."""

from dataclasses import replace

import pytest
from tests.support.build import BOOT, NOW, leaving, saved

from inferagent.model.phase import Phase
from inferagent.model.saved import Drain, Fault, Saved, Write
from inferagent.policy.wake import of_pool, wake

FAULT = Fault(BOOT, "GPU-0", "lost", "GPU 0 is lost", NOW)


def test_nothing_saved_begins_out_and_unadopted():
    woken = wake(None, NOW, BOOT)
    assert (woken.phase, woken.adopted, woken.drain) == (Phase.OUT, False, Drain(NOW, NOW))


def test_the_same_boot_goes_on_with_proofs_to_be_read_again():
    woken = wake(leaving(faults=(FAULT,), hold_off_until=NOW + 60), NOW, BOOT)
    assert woken.phase is Phase.DRAINING
    assert woken.drain == Drain(NOW - 50, NOW + 70)
    assert woken.faults == (FAULT,)
    assert woken.hold_off_until == NOW + 60
    assert woken.memory.generation_ok_at is None


def test_another_pool_is_adopted_as_it_is_found():
    known = saved(pool="one", baseline=True, other_hand=True, last_write=Write(True, NOW), unanswered_at=NOW)
    new = of_pool(known, "two")
    assert new is not None
    assert (new.adopted, new.baseline, new.other_hand) == (False, None, False)
    assert (new.last_write, new.unanswered_at) == (None, None)
    assert of_pool(known, "one") == known
    assert of_pool(replace(known, pool=""), "two") == replace(known, pool=""), "an older state names none"
    assert of_pool(None, "two") is None


@pytest.mark.parametrize("phase", [Phase.JOINING, Phase.SERVING])
def test_an_agent_that_had_told_503_and_not_saved_it_was_leaving(phase):
    inside = saved(phase=phase, last_write=Write(True, NOW - 50, answered=True, confirmed=True))
    woken = wake(inside, NOW, BOOT, told=False)
    assert (woken.phase, woken.drain, woken.serving_since) == (Phase.DRAINING, Drain(NOW, None), None)
    assert woken.unanswered_at == NOW, "its leaving write is nobody else's"
    assert wake(inside, NOW, BOOT, told=True).phase is phase
    assert wake(inside, NOW, BOOT, told=None).phase is phase


def test_another_boot_begins_out_without_faults_and_without_times_of_the_old_one():
    before = leaving(
        faults=(FAULT, replace(FAULT, boot="boot-0")),
        restarts=(NOW,),
        hold_off_until=NOW + 60,
        hold_off_level=3,
        other_hand=True,
    )
    woken = wake(before, 20.0, "boot-2")
    assert (woken.phase, woken.drain) == (Phase.OUT, Drain(20.0, 20.0))
    assert (woken.faults, woken.restarts, woken.hold_off_until) == ((), (), 0.0)
    assert (woken.hold_off_level, woken.other_hand, woken.baseline) == (3, True, True)


def test_a_fault_of_this_boot_outlasts_a_state_that_is_older_than_the_boot():
    ours = replace(FAULT, boot="boot-2")
    assert wake(saved(faults=(FAULT, ours)), 20.0, "boot-2").faults == (ours,)


def test_a_write_that_nobody_saw_may_still_land_after_a_reboot():
    assert wake(saved(last_write=Write(False, NOW)), 20.0, "boot-2").unanswered_at == 20.0
    shown = Write(False, NOW, answered=True, confirmed=True)
    woken = wake(saved(last_write=shown), 20.0, "boot-2")
    assert woken.unanswered_at is None
    assert woken.last_write is not None
    assert woken.last_write.at == 0.0


@pytest.mark.parametrize("phase", [Phase.JOINING, Phase.SERVING])
def test_a_boot_that_ended_inside_was_a_fall_and_makes_the_hold_off_longer(phase):
    woken = wake(saved(phase, hold_off_level=2), 20.0, "boot-2")
    assert (woken.hold_off_level, woken.hold_off_until) == (3, 20.0 + 240.0)


@pytest.mark.parametrize(
    ("write", "lands"),
    [
        (Write(False, NOW - 2), True),
        (Write(False, NOW - 2, answered=True), False),
        (Write(False, NOW - 2, confirmed=True), False),
        (None, False),
    ],
)
def test_a_write_that_died_with_the_agent_may_still_land(write, lands):
    woken = wake(leaving(last_write=write), NOW, BOOT)
    assert woken.unanswered_at == (NOW if lands else None)
    assert wake(leaving(unanswered_at=NOW - 9), NOW, BOOT).unanswered_at == NOW - 9


def test_what_an_observing_agent_noted_binds_nobody_but_its_faults():
    woken = wake(saved(adopted=False, faults=(FAULT,)), NOW, BOOT)
    assert (woken.phase, woken.adopted, woken.faults) == (Phase.OUT, False, (FAULT,))


def test_of_a_lost_state_the_faults_of_this_boot_are_left_and_those_of_another_are_not():
    begun = wake(None, NOW, BOOT)
    assert wake(Saved(boot=BOOT, faults=(FAULT,)), NOW, BOOT) == replace(begun, faults=(FAULT,))
    assert wake(Saved(boot=BOOT, faults=(FAULT,)), NOW, "boot-2") == replace(begun, boot="boot-2")
