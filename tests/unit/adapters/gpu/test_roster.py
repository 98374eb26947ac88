from inferagent.adapters.gpu.roster import Name, Roster
from inferagent.model.kernel import KernelFault

FAULT = KernelFault("0000:41:00", "lost", "fell off the bus", "reboot", "XID 79", 1.0, "", 1.0, "", 7)


def test_what_a_gpu_said_once_stays_its_name():
    roster = Roster()
    roster.note(1, "GPU-1", "L4", "00000000:41:00.0")
    assert roster.note(1, "", "", "") == Name("GPU-1", "L4", "00000000:41:00.0")
    assert roster.of(2) == Name()


def test_a_fault_gets_the_name_of_the_gpu_at_its_place():
    roster = Roster({0: Name("GPU-0", "L4", "00000000:01:00.0"), 1: Name("GPU-1", "L4", "00000000:41:00.0")})
    named = roster.named(FAULT, {})
    assert (named.index, named.uuid) == (1, "GPU-1")


def test_a_uuid_that_the_kernel_told_names_a_gpu_without_a_place():
    roster = Roster({1: Name("GPU-1", "L4", "")})
    assert roster.named(FAULT, {"0000:41:00": "GPU-1"}).index == 1


def test_a_gpu_that_nobody_knows_keeps_its_place():
    named = Roster().named(FAULT, {"0000:41:00": "GPU-x"})
    assert (named.index, named.uuid, named.pci) == (None, "GPU-x", "0000:41:00")
