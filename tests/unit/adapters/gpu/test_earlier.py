import json
from dataclasses import asdict

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.earlier import earlier
from inferagent.adapters.gpu.leave import FILE, ReportWriter
from inferagent.adapters.gpu.roster import Name, Roster
from inferagent.model.kernel import KernelFault, KernelLook

FAULT = KernelFault(
    "0000:41:00", "lost", "fell off the bus", "reboot", "XID 79", 1.0, "12:00", 2.0, "12:01", 7, 1, "GPU-1"
)
NAMES = {0: Name("GPU-0", "L4", "00000000:01:00.0"), 1: Name("GPU-1", "L4", "00000000:41:00.0")}


@pytest.fixture
def left(tmp_path):
    clock = BootClock()
    writer = ReportWriter(tmp_path, clock, 5.0, Roster(dict(NAMES)))
    writer.kernel(KernelLook((FAULT,), "", 7), at_once=True)
    return tmp_path, clock.boot()


def test_the_next_probe_of_this_boot_knows_what_the_last_one_knew(left):
    assert earlier(*left) == (NAMES, (FAULT,))


def test_another_boot_s_words_count_nothing(left):
    assert earlier(left[0], "boot-2") == ({}, ())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"boot": 1}'])
def test_bytes_that_are_no_report_are_nothing(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    assert earlier(tmp_path, "b") == ({}, ())


@pytest.mark.parametrize(
    "row", [None, [], {}, asdict(FAULT) | {"at": "x"}, asdict(FAULT) | {"pci": 1}, asdict(FAULT) | {"new": 1}]
)
def test_a_row_that_is_none_is_left_out(left, row):
    folder, boot = left
    said = json.loads((folder / FILE).read_bytes())
    said["kernel"]["faults"].append(row)
    said["names"].append(row)
    (folder / FILE).write_text(json.dumps(said))
    assert earlier(folder, boot) == (NAMES, (FAULT,))
