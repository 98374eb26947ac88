import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.fault_file import FaultFile
from inferagent.adapters.gpu.leave import ReportWriter
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.reading import Value
from inferagent.model.saved import Cleared, Fault
from inferagent.ports import PortError
from inferagent.programs.fault_files import left_in

CLOCK = BootClock()
FELL = KernelFault(
    "0000:01:00", "lost", "fell off the bus", "reboot", "XID 79", 41.0, "12:03:11", 41.0, "12:03:11", 70, 1
)
TEXT = "GPU 1 fell off the bus (XID 79, 12:03:11)"


def fault(boot: str = "") -> Fault:
    return Fault(boot or CLOCK.boot(), "GPU-0", "ecc", "GPU 0 has an error", 5.0, "reset", 0)


def test_what_the_agent_kept_and_what_the_probe_has_seen_since_stand_together(tmp_path):
    FaultFile(tmp_path).keep((fault(), fault("boot-0")))
    writer = ReportWriter(tmp_path, CLOCK, 5.0)
    writer.kernel(KernelLook((FELL,), "", 80), at_once=True)
    lost = Gpu(2, "GPU-2", "L4", fault="lost")
    writer.report(Value(GpuReport((lost,)), CLOCK.now()))
    shown = left_in(tmp_path)
    assert [row.text for row in shown.faults] == ["GPU 0 has an error", TEXT, "GPU 2 is lost to its driver"]
    assert shown.unread == ""


def test_what_was_cleared_stays_cleared(tmp_path):
    word = Cleared(CLOCK.boot(), "0000:01:00", CLOCK.now(), 1, "0000:01:00", 80)
    FaultFile(tmp_path).keep((), (word,))
    ReportWriter(tmp_path, CLOCK, 5.0).kernel(KernelLook((FELL,), "", 80), at_once=True)
    assert left_in(tmp_path).faults == ()


def test_nothing_there_is_no_fault_and_no_folder_is_an_error(tmp_path):
    shown = left_in(tmp_path)
    assert shown.faults == ()
    assert "not reported yet" in shown.unread
    with pytest.raises(PortError, match="cannot read the faults in"):
        left_in(tmp_path / "none")


def test_a_file_that_cannot_be_read_is_an_error_and_no_empty_list(tmp_path):
    (tmp_path / "faults.json").mkdir()
    with pytest.raises(PortError, match="Is a directory"):
        left_in(tmp_path)
