"""What an agent that has just started makes of the saved state."""

from tests.support.build import BOOT, NOW, leaving, saved

from inferagent.model.phase import Phase
from inferagent.model.saved import Drain, Fault, Write
from inferagent.policy.wake import wake

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


def test_another_boot_begins_out_without_faults_and_without_times_of_the_old_one():
    before = saved(
        faults=(FAULT,), restarts=(NOW,), hold_off_until=NOW + 60, hold_off_level=3, other_hand=True
    )
    woken = wake(before, 20.0, "boot-2")
    assert (woken.phase, woken.drain) == (Phase.OUT, Drain(20.0, 20.0))
    assert (woken.faults, woken.restarts, woken.hold_off_until) == ((), (), 0.0)
    assert (woken.hold_off_level, woken.other_hand, woken.baseline) == (3, True, True)


def test_a_write_that_nobody_saw_may_still_land_after_a_reboot():
    assert wake(saved(last_write=Write(False, NOW)), 20.0, "boot-2").unanswered_at == 20.0
    shown = Write(False, NOW, answered=True, confirmed=True)
    woken = wake(saved(last_write=shown), 20.0, "boot-2")
    assert woken.unanswered_at is None
    assert woken.last_write is not None
    assert woken.last_write.at == 0.0


def test_what_an_observing_agent_noted_binds_nobody_but_its_faults():
    woken = wake(saved(adopted=False, faults=(FAULT,)), NOW, BOOT)
    assert (woken.phase, woken.adopted, woken.faults) == (Phase.OUT, False, (FAULT,))
