import json
import os

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.leave import FILE, ReportWriter, hold_lock, plain, says_absent
from inferagent.model.gpu import GpuProcess
from inferagent.model.reading import Failed, NotAvailable, Value


def test_readings_become_json_with_their_kind_told_by_their_keys():
    assert plain(Value((GpuProcess(1, 2),), 3.0)) == {
        "at": 3.0,
        "value": [{"pid": 1, "memory_bytes": 2, "kind": "compute"}],
    }
    assert plain(NotAvailable(3.0)) == {"at": 3.0}
    assert plain(Failed("cannot", 3.0)) == {"at": 3.0, "error": "cannot"}


def test_a_call_under_way_stands_beside_the_last_report(tmp_path):
    writer = ReportWriter(tmp_path, BootClock(), 5.0)
    writer.report(Failed("cannot", 3.0))
    writer.announce("GPU 0: x")
    said = json.loads((tmp_path / FILE).read_bytes())
    assert (said["calling"], said["report"]["error"]) == ("GPU 0: x", "cannot")
    assert not says_absent(tmp_path)


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
