import pytest

from inferagent.adapters.gpu.xid import FAULTS, FINDINGS, PROGRAM, QUIET, RECOVERY, meaning


@pytest.mark.parametrize("number", [8, 13, 31, 32, 43, 45, 69])
def test_a_program_s_own_fault_says_nothing_of_the_gpu(number):
    assert meaning(number) is None


@pytest.mark.parametrize(
    ("number", "code", "cure"),
    [
        (79, "lost", "reboot"),
        (48, "ecc", "reset"),
        (95, "ecc", "reset"),
        (62, "halted", "reset"),
        (64, "row-remap", "reset"),
        (74, "nvlink", "reset"),
        (119, "gsp", "reset"),
        (120, "gsp", "reset"),
        (151, "secure", "reboot"),
    ],
)
def test_a_sticky_fault_has_its_cure(number, code, cure):
    means = meaning(number)
    assert (means.code, means.cure) == (code, cure)


@pytest.mark.parametrize("number", [63, 92, 94, 144, 171, 54])
def test_what_is_only_worth_saying_asks_for_nothing(number):
    assert meaning(number).cure == ""


def test_a_number_of_a_later_driver_is_said_and_no_fault():
    means = meaning(999)
    assert (means.code, means.cure) == ("xid-999", "")


def test_no_number_stands_in_two_tables():
    numbers = [*FAULTS, *FINDINGS, *PROGRAM, *QUIET]
    assert len(numbers) == len(set(numbers))


def test_every_fault_goes_on_from_a_gpu_s_name_and_has_a_cure():
    for means in (*FAULTS.values(), *RECOVERY.values()):
        assert means.cure in ("reboot", "reset")
        assert means.words.split()[0].islower()
