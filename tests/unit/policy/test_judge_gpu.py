"""Sticky GPU faults."""

from dataclasses import replace

from tests.support.build import BOOT, NOW, desired, facts, failed, gpus, observed, saved, val

from inferagent.model.desired import Terms
from inferagent.model.health import Health, Repair
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.phase import Phase
from inferagent.model.saved import Fault
from inferagent.policy.faults import RESET
from inferagent.policy.judge_gpu import judge_gpu, remember_faults

FAULT = Fault(BOOT, "GPU-0", "lost", "GPU 0 is lost to its driver", NOW, index=0)


def remembered(report: object, **kept: object):
    return remember_faults(observed(gpus=report), saved(**kept)).faults


def test_a_lost_gpu_is_remembered_once():
    assert remembered(val(gpus(fault="lost"))) == (FAULT,)
    assert remembered(val(gpus(fault="lost")), faults=(FAULT,)) == (FAULT,)


def test_nothing_but_another_boot_takes_a_fault_away():
    assert remembered(val(gpus()), faults=(FAULT,)) == (FAULT,)
    assert remembered(failed(), faults=(FAULT,)) == (FAULT,)
    assert remember_faults(observed(boot="boot-2"), saved(faults=(FAULT,))).faults == ()


def test_a_gpu_that_vanishes_from_the_count_is_a_fault_even_when_it_was_the_only_one():
    assert [fault.code for fault in remembered(val(gpus(1)), gpu_count=2)] == ["vanished"]
    assert [fault.code for fault in remembered(val(gpus(0)), gpu_count=1)] == ["vanished"]
    assert [fault.code for fault in remembered(val(gpus(1, pci_count=val(2))))] == ["vanished"]


def test_a_driver_that_shows_none_yet_and_a_stuck_probe_are_none():
    assert remembered(val(gpus(0, pci_count=val(1)))) == ()
    assert remembered(val(gpus(1, stuck="nvmlDeviceGetName")), gpu_count=2) == ()


def test_a_fault_is_certain_and_waits_for_a_reboot():
    (cause,) = judge_gpu(facts(kept=saved(Phase.OUT, faults=(FAULT,)))).causes
    assert (cause.code, cause.repair, cause.since) == ("gpu-lost", Repair.REBOOT, NOW)


OTHERS = desired(Terms(gpus=(1,)))


def test_a_fault_of_a_gpu_that_the_engine_does_not_use_is_a_finding_with_its_cure_and_no_cause():
    judged = judge_gpu(facts(kept=saved(faults=(FAULT,)), wish=OTHERS))
    assert judged.causes == ()
    (found,) = judged.findings
    assert (found.code, found.health) == ("gpu-unused-lost", Health.DEGRADED)
    assert found.text == "GPU 0 is lost to its driver; the engine does not use it"
    assert found.cure == "sudo systemctl reboot"


def test_a_fault_of_its_own_or_of_nobody_knows_which_is_a_cause():
    count = Fault(BOOT, "count", "vanished", "", NOW)
    for fault in (replace(FAULT, index=1), replace(FAULT, index=None), count):
        judged = judge_gpu(facts(kept=saved(faults=(fault,)), wish=OTHERS))
        assert (len(judged.causes), judged.findings) == (1, ())


def test_one_that_is_known_by_its_uuid_alone_gets_the_number_that_the_driver_has_for_it():
    nameless = replace(FAULT, index=None)
    assert [fault.index for fault in remembered(val(gpus()), faults=(nameless,))] == [0]
    assert remembered(failed(), faults=(nameless,)) == (nameless,)
    unknown = replace(nameless, gpu="GPU-7")
    assert remembered(val(gpus()), faults=(unknown,)) == (unknown,)


def test_a_stuck_probe_is_said():
    seen = observed(gpus=val(gpus(stuck="nvmlDeviceGetName")))
    assert [finding.code for finding in judge_gpu(facts(seen=seen)).findings] == ["gpu-stuck"]


def test_a_fault_that_a_reset_cures_says_how():
    kept = saved(Phase.OUT, faults=(replace(FAULT, code="reset-required", cure="reset"),))
    (cause,) = judge_gpu(facts(kept=kept)).causes
    assert (cause.code, cause.repair) == ("gpu-reset-required", Repair.RESET_GPU)
    assert cause.cure == RESET


def test_a_driver_that_does_not_fit_its_library_is_unknown_and_no_cause():
    look = KernelLook(mismatch="the NVIDIA driver in the kernel is 535.1, its library 550.2")
    judged = judge_gpu(facts(seen=observed(gpus=failed(), kernel=val(look))))
    (finding,) = judged.findings
    assert judged.causes == ()
    assert (finding.code, finding.health) == ("gpu-driver-mismatch", Health.UNKNOWN)
    assert "535.1" in finding.text
    assert "550.2" in finding.text
    assert finding.cure.startswith("sudo systemctl reboot")


def test_what_is_only_worth_saying_is_a_healthy_finding():
    line = KernelFault(
        "0000:01:00", "xid-corrected", "corrects", "", "XID 92", NOW, "12:00", NOW, "12:00", 7, 0
    )
    judged = judge_gpu(facts(seen=observed(kernel=val(KernelLook((line,), "", 7)))))
    assert judged.causes == ()
    assert [(one.code, one.health) for one in judged.findings] == [("gpu-xid-corrected", Health.HEALTHY)]
