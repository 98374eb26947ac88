import json
import os
import threading
import time

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.leave import FILE, ReportWriter, hold_lock, plain, says_absent
from inferagent.model.gpu import GpuProcess
from inferagent.model.kernel import KernelLook
from inferagent.model.reading import Failed, NotAvailable, Value

SLOW = 0.1


def test_readings_become_json_with_their_kind_told_by_their_keys():
    assert plain(Value((GpuProcess(1, 2),), 3.0)) == {
        "at": 3.0,
        "value": [{"pid": 1, "memory_bytes": 2, "kind": "compute", "name": "", "parents": []}],
    }
    assert plain(NotAvailable(3.0)) == {"at": 3.0}
    assert plain(Failed("cannot", 3.0)) == {"at": 3.0, "error": "cannot"}


def written(folder):
    return json.loads((folder / FILE).read_bytes())


def test_a_call_under_way_stands_beside_the_last_report_with_the_time_of_its_begin(tmp_path):
    clock = BootClock()
    writer = ReportWriter(tmp_path, clock, 5.0)
    writer.report(Failed("cannot", 3.0))
    before = clock.now()
    writer.announce("GPU 0: x")
    began = clock.now()
    writer.tell()
    said = written(tmp_path)
    assert (said["calling"], said["report"]["error"]) == ("GPU 0: x", "cannot")
    assert before <= said["calling_at"] <= began <= said["written"]
    assert not says_absent(tmp_path)


def test_the_first_call_is_written_at_once_and_quick_ones_never(tmp_path):
    writer = ReportWriter(tmp_path, BootClock(), 5.0)
    writer.announce("the NVIDIA driver: nvmlInit")
    assert written(tmp_path)["calling"] == "the NVIDIA driver: nvmlInit"
    writer.announce("GPU 0: x")
    writer.report(NotAvailable(3.0))
    before = written(tmp_path)
    for _ in range(20):
        writer.announce("GPU 0: y")
    assert written(tmp_path) == before


class Watched:
    """A writer whose slow calls are told by a thread, as in the probe program."""

    def __init__(self, folder):
        self.writer, self.end = ReportWriter(folder, BootClock(), 5.0, slow=SLOW), threading.Event()
        self.folder = folder
        self.thread = threading.Thread(target=self.writer.tell_slow_calls, args=(self.end,))
        self.thread.start()

    def sees(self, call):
        deadline = time.monotonic() + 10
        while written(self.folder)["calling"] != call:
            assert time.monotonic() < deadline
            self.end.wait(0.02)
        return written(self.folder)["calling_at"]


@pytest.fixture
def watched(tmp_path):
    made = Watched(tmp_path)
    yield made
    made.end.set()
    made.writer.announce("the end")
    made.thread.join(10)
    assert not made.thread.is_alive()


def test_a_call_that_lasts_is_told_with_its_begin_and_so_is_the_next_one(watched):
    clock = BootClock()
    watched.writer.report(NotAvailable(3.0))
    for call in ("GPU 0: hangs", "GPU 1: hangs too"):
        watched.writer.announce("GPU 0: quick")
        before = clock.now()
        watched.writer.announce(call)
        began = clock.now()
        assert before <= watched.sees(call) <= began
        assert clock.now() - began < 2 * SLOW + 1.0
    watched.writer.report(NotAvailable(4.0))
    assert written(watched.folder)["calling"] == ""


def test_what_the_kernel_says_is_told_at_once_even_while_a_call_hangs(tmp_path):
    writer = ReportWriter(tmp_path, BootClock(), 5.0)
    writer.report(Failed("cannot", 3.0))
    writer.announce("GPU 0: hangs")
    writer.kernel(KernelLook((), "unread", 4), at_once=False)
    assert written(tmp_path)["kernel"]["sequence"] == -1
    writer.kernel(KernelLook((), "unread", 5), at_once=True)
    said = written(tmp_path)
    assert (said["kernel"]["sequence"], said["kernel"]["unread"]) == (5, "unread")
    assert (said["calling"], said["report"]["error"]) == ("GPU 0: hangs", "cannot")


def test_absent_is_told_from_unknown_and_from_nothing(tmp_path):
    writer = ReportWriter(tmp_path, BootClock(), 5.0)
    assert not says_absent(tmp_path)
    writer.announce("x")
    assert not says_absent(tmp_path)
    writer.report(NotAvailable(3.0))
    assert says_absent(tmp_path)


def test_a_folder_that_cannot_be_written_loses_the_report_only(tmp_path):
    (tmp_path / FILE).mkdir()
    writer = ReportWriter(tmp_path, BootClock(), 5.0)
    writer.report(NotAvailable(3.0))
    assert (tmp_path / FILE).is_dir()


def test_the_lock_is_for_one(tmp_path):
    first = hold_lock(tmp_path)
    assert first is not None
    assert hold_lock(tmp_path) is None
    os.close(first)
    again = hold_lock(tmp_path)
    assert again is not None
    os.close(again)
