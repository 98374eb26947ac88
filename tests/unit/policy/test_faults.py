"""Sticky GPU faults: one story a GPU, and the operator's word."""

from dataclasses import replace

import pytest
from tests.support.build import BOOT, NOW, failed, gpus, observed, saved, val

from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.reading import NotAvailable
from inferagent.model.saved import Cleared, Fault
from inferagent.policy.faults import (
    RESET,
    clear_faults,
    cure_of,
    notes,
    remember_faults,
    sheet,
    still_said,
    unseen_since,
)

FELL = KernelFault(
    "0000:01:00",
    "lost",
    "fell off the bus",
    "reboot",
    "XID 79",
    at=NOW - 50,
    clock="12:03:11",
    last_at=NOW - 40,
    last_clock="12:03:21",
    sequence=70,
    index=1,
    uuid="GPU-1",
)
ECC = replace(FELL, code="ecc", words="has an uncorrectable memory error", cure="reset", evidence="XID 48")
TEXT = "GPU 1 fell off the bus (XID 79, 12:03:11)"
PLACED = "00000000:01:00.0"


def look(*faults: KernelFault, **fields: object):
    whole = {"sequence": max((fault.sequence for fault in faults), default=60)}
    return val(KernelLook(faults, **(whole | fields)))


def report(*lost: int, count: int = 2, word: str = "lost", at: float = NOW, **fields: object):
    found = tuple(
        Gpu(n, f"GPU-{n}", "L4", PLACED if n == 1 else "", fault=word if n in lost else "")
        for n in range(count)
    )
    return val(GpuReport(found, **fields), at)


def after(kept=None, **seen: object):
    return remember_faults(observed(**seen), kept or saved())


def texts(kept) -> list[str]:
    return [fault.text for fault in kept.faults]


def cleared(kept, which: str = "", at: float = NOW, word: KernelLook | None = None):
    return clear_faults(kept, which, at, word or KernelLook(sequence=80))


def test_the_kernel_s_word_is_a_fault_with_its_number_and_its_time():
    kept = after(kernel=look(FELL))
    assert kept.faults == (Fault(BOOT, "GPU-1", "lost", TEXT, NOW - 50, "reboot", 1, "0000:01:00", 70),)
    assert after(kept, kernel=look(FELL)) is kept


def test_the_driver_s_and_the_kernel_s_word_on_one_gpu_are_one_story():
    together = after(gpus=report(1), kernel=look(FELL))
    assert texts(together) == [TEXT]
    first_driver = after(after(gpus=report(1)), kernel=look(FELL))
    assert texts(first_driver) == [TEXT]
    assert first_driver.faults[0].code == "lost"
    first_kernel = after(after(kernel=look(FELL)), gpus=report(1))
    assert texts(first_kernel) == [TEXT]


def test_a_gpu_known_by_its_place_alone_is_the_same_when_it_gets_its_name():
    nameless = replace(FELL, index=None, uuid="")
    kept = after(kernel=look(nameless))
    assert texts(kept) == ["the GPU at 0000:01:00 fell off the bus (XID 79, 12:03:11)"]
    kept = after(kept, kernel=look(FELL), gpus=report(1))
    assert len(kept.faults) == 1
    assert kept.faults[0].index == 1


def test_what_follows_a_fault_is_a_part_of_it_and_may_ask_for_more():
    both = look(ECC, replace(FELL, sequence=71))
    (fault,) = after(kernel=both, gpus=report(1, word="reset-required")).faults
    assert (fault.code, fault.cure) == ("ecc", "reboot")
    assert fault.text == "GPU 1 has an uncorrectable memory error (XID 48, 12:03:11)"


def test_two_gpus_are_two_stories():
    other = replace(FELL, pci="0000:02:00", index=0, uuid="GPU-0")
    assert len(after(kernel=look(FELL, other)).faults) == 2


def test_a_gpu_off_the_bus_is_not_missed_in_the_count_as_well():
    kept = after(kernel=look(FELL), gpus=report(count=1, pci_count=val(2)))
    assert texts(kept) == [TEXT]
    worse = after(kept, gpus=report(count=1, pci_count=val(3)))
    assert texts(worse) == [TEXT, "1 of 3 GPUs vanished from the driver's count"]
    assert after(worse, gpus=report(count=1, pci_count=val(3))) == worse


def test_a_gpu_that_only_wants_a_reset_explains_no_missing_one():
    kept = after(kernel=look(ECC), gpus=report(count=1, pci_count=val(2)))
    assert [fault.code for fault in kept.faults] == ["ecc", "vanished"]


def test_the_kernel_is_heard_while_the_driver_cannot_be_asked():
    assert texts(after(gpus=failed(), kernel=look(FELL))) == [TEXT]


def test_a_line_that_is_no_fault_is_said_for_an_hour():
    note = replace(FELL, code="xid-row-remap", words="has a memory row to retire", cure="", evidence="XID 63")
    kept = after(kernel=look(note))
    assert kept.faults == ()
    said = notes(observed(kernel=look(note)), kept)
    assert said == (("gpu-xid-row-remap", "GPU 1 has a memory row to retire (XID 63, 12:03:11)"),)
    assert notes(observed(now=NOW + 3700, kernel=look(note)), kept) == ()
    assert notes(observed(kernel=look(note)), after(kernel=look(FELL))) == ()


@pytest.mark.parametrize("which", ["1", "GPU 1", "GPU-1", "0000:01:00", "0000:01:00.0", PLACED, ""])
def test_the_operator_names_a_gpu_in_any_way(which):
    kept, gone = cleared(after(kernel=look(FELL)), which)
    assert [fault.text for fault in gone] == [TEXT]
    assert kept.faults == ()
    assert kept.cleared == (Cleared(BOOT, "GPU-1", NOW, 1, "0000:01:00", 80),)


@pytest.mark.parametrize("which", ["0", "2", "GPU-2", "0000:02:00", "count", "x"])
def test_another_gpu_s_name_clears_nothing(which):
    kept = after(kernel=look(FELL))
    assert cleared(kept, which) == (kept, ())


def test_a_line_older_than_the_word_does_not_bring_the_fault_back_and_a_newer_one_does():
    kept, _ = cleared(after(kernel=look(FELL)), "1")
    again = replace(FELL, last_at=NOW + 5, last_clock="12:04:06", sequence=81)
    assert after(kept, now=NOW + 9, kernel=look(FELL)).faults == ()
    unread = replace(again, last_at=NOW - 1)  # a line that had come, and that nobody had read by then
    assert after(kept, now=NOW + 9, kernel=look(unread)).faults == ()
    drifted = replace(FELL, last_at=NOW + 3600)  # the log's clock stands still in sleep: the number decides
    assert after(kept, now=NOW + 9, kernel=look(drifted)).faults == ()
    (fault,) = after(kept, now=NOW + 9, kernel=look(again)).faults
    assert (fault.text, fault.at) == ("GPU 1 fell off the bus (XID 79, 12:04:06)", NOW + 5)


def test_the_word_is_kept_for_a_gpu_by_its_place_too():
    kept, _ = cleared(after(kernel=look(FELL)), "1")
    nameless = replace(FELL, index=None, uuid="")
    assert after(kept, kernel=look(nameless)).faults == ()


def test_what_the_driver_said_before_the_word_counts_no_more_and_what_it_says_after_does():
    kept, gone = cleared(after(gpus=report(1)), "1", at=NOW + 2)
    seen = observed(now=NOW + 3, gpus=report(1))
    assert still_said(gone, seen) == 'the driver of GPU 1 said "lost" 3 s ago: its next word decides'
    assert after(kept, now=NOW + 3, gpus=report(1)).faults == ()
    later = after(kept, now=NOW + 8, gpus=report(1, at=NOW + 7))
    assert texts(later) == ["GPU 1 is still lost to its driver, though it was cleared"]
    assert still_said(gone, observed(gpus=report())) == ""


def test_gpus_that_vanished_are_counted_anew_after_the_word():
    kept = after(saved(gpu_count=2), gpus=report(count=1))
    assert [fault.gpu for fault in kept.faults] == ["count"]
    kept, _ = cleared(kept, "count", at=NOW + 1)
    assert kept.gpu_count == 0
    assert after(kept, gpus=report(count=1)).faults == ()
    assert after(kept, now=NOW + 9, gpus=report(count=1, at=NOW + 8)).faults == ()
    missed = after(kept, now=NOW + 9, gpus=report(count=1, at=NOW + 8, pci_count=val(2)))
    assert [fault.code for fault in missed.faults] == ["vanished"]


def test_the_last_word_on_a_gpu_replaces_the_one_before():
    kept, _ = cleared(after(kernel=look(FELL)))
    again = replace(FELL, last_at=NOW + 5, sequence=81)
    kept, _ = cleared(after(kept, now=NOW + 9, kernel=look(again)), at=NOW + 10, word=KernelLook(sequence=90))
    assert [(word.at, word.sequence) for word in kept.cleared] == [(NOW + 10, 90)]


def test_another_boot_ends_faults_and_words():
    kept, _ = cleared(after(kernel=look(FELL)), "1")
    kept = after(kept, gpus=report(0))
    ended = remember_faults(observed(boot="boot-2", gpus=failed()), kept)
    assert (ended.faults, ended.cleared) == ((), ())


def test_each_cure_is_a_command():
    (lost,) = after(kernel=look(FELL)).faults
    (ecc,) = after(kernel=look(ECC)).faults
    assert cure_of(lost) == "sudo systemctl reboot"
    assert cure_of(ecc) == RESET
    placed = replace(ecc, index=None, gpu="0000:01:00")
    assert cure_of(placed) == RESET
    assert cure_of(replace(placed, pci="")) == "sudo systemctl reboot"


def test_the_sheet_shows_what_stands():
    shown = sheet(after(kernel=look(FELL)), observed(kernel=look(FELL, unread="cannot read /dev/kmsg")))
    (row,) = shown.faults
    assert (row.gpu, row.index, row.text, row.seconds) == ("GPU-1", 1, TEXT, 50.0)
    assert shown.unread == "cannot read /dev/kmsg"
    assert "not reported yet" in sheet(saved(), observed()).unread


def test_a_word_on_a_gpu_known_by_less_is_replaced_too():
    line = replace(FELL, uuid="GPU-0", index=0, last_at=NOW + 8, sequence=81)
    kept, _ = cleared(after(gpus=val(gpus(fault="lost"))), at=NOW + 1)
    again = after(kept, now=NOW + 9, gpus=val(gpus(fault="lost"), NOW + 8), kernel=look(line))
    assert [fault.pci for fault in again.faults] == ["0000:01:00"]
    kept, _ = cleared(again, at=NOW + 10)
    assert [word.at for word in kept.cleared] == [NOW + 10]
    assert after(kept, now=NOW + 11, kernel=look(line)).faults == ()


def test_after_the_word_the_gpus_are_looked_at_first_if_they_can_be():
    kept, _ = cleared(after(gpus=report(1)), at=NOW)
    assert unseen_since(kept, observed(now=NOW + 3, gpus=report(at=NOW - 1)))
    assert unseen_since(kept, observed(now=NOW + 3, gpus=failed(NOW + 2)))
    assert unseen_since(kept, observed(now=NOW + 3, gpus=report(at=NOW + 2))) == ""
    assert unseen_since(kept, observed(now=NOW + 31, gpus=report(at=NOW - 1))) == ""
    assert unseen_since(kept, observed(now=NOW + 3, gpus=NotAvailable(NOW - 1))) == ""
    assert unseen_since(saved(), observed()) == ""
