import os
import threading
import time
from pathlib import Path

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.kernel_lines import KernelLines
from inferagent.adapters.gpu.kernel_log import KMSG, LARGEST, KernelLog


class Clock(BootClock):
    """At noon, a thousand seconds after the boot, four hundred of which were slept through."""

    def now(self):
        return 1000.0

    def wall(self):
        return "2026-11-22T12:00:00+01:00"


def record(number: int, second: float, xid: int = 79) -> bytes:
    return b"3,%d,%d,-;NVRM: Xid (PCI:0000:41:00): %d, pid=1\n" % (number, second * 1e6, xid)


def reader(path: Path) -> KernelLog:
    return KernelLog(path, Clock(), KernelLines(), monotonic=lambda: 600.0)


@pytest.fixture
def fifo(tmp_path):
    path = tmp_path / "kmsg"
    os.mkfifo(path)
    return path


@pytest.fixture
def pipe(fifo):
    """A reader at a FIFO, and the side that the kernel would write to."""
    log = reader(fifo)
    side = os.open(fifo, os.O_WRONLY)
    yield log, side
    os.close(side)
    log.close()


def only(log: KernelLog):
    (fault,) = log.lines.faults.values()
    return fault


def test_what_stood_there_is_dated_by_the_log_and_what_comes_by_now(pipe):
    log, side = pipe
    os.write(side, record(1, 590.0))
    assert log.pump()
    assert (only(log).at, only(log).clock) == (990.0, "11:59:50")
    os.write(side, record(2, 591.0))
    assert not log.pump()
    assert (only(log).last_at, only(log).last_clock) == (1000.0, "12:00:00")


def test_it_waits_for_nothing_where_nothing_is(pipe):
    log, _ = pipe
    assert not log.pump()
    assert log.lines.faults == {}
    assert log.unread == ""


def test_a_record_that_comes_in_two_pieces_is_one(pipe):
    log, side = pipe
    whole = record(1, 5.0)
    os.write(side, whole[:20])
    assert not log.pump()
    os.write(side, whole[20:])
    assert log.pump()


def test_a_line_without_end_is_given_up_and_the_next_is_read(pipe):
    log, side = pipe
    for _ in range(3):
        os.write(side, b"x" * LARGEST)
        log.pump()
        assert len(log._rest) <= LARGEST
    os.write(side, b"\n" + record(1, 5.0))
    assert log.pump()


def test_one_batch_is_bounded_whatever_stands_there(tmp_path):
    path = tmp_path / "flood"
    path.write_bytes(b"".join(record(number, 5.0, 31) for number in range(40_000)))
    log = reader(path)
    before = time.process_time()
    log.pump()
    assert time.process_time() - before < 2.0
    assert 15_000 < log.lines.sequence < 25_000
    log.pump()
    log.pump()
    assert log.lines.sequence == 39_999
    log.close()


def test_a_writer_that_goes_away_is_waited_for(fifo):
    log = reader(fifo)
    side = os.open(fifo, os.O_WRONLY)
    os.close(side)
    waiting = threading.Thread(target=log.wait)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    side = os.open(fifo, os.O_WRONLY)
    os.write(side, record(1, 5.0))
    waiting.join(5.0)
    assert not waiting.is_alive()
    os.close(side)
    assert log.pump()
    log.close()


def test_no_log_is_said_and_read_no_more(tmp_path):
    log = reader(tmp_path / "none")
    assert log.unread == f"cannot read {tmp_path / 'none'}: No such file or directory"
    assert not log.wait()
    assert not log.pump()


def test_a_log_that_breaks_is_said(tmp_path):
    log = reader(tmp_path)  # a folder opens, and cannot be read
    log.pump()
    assert "Is a directory" in log.unread
    assert not log.wait()


@pytest.mark.skipif(
    not os.access(KMSG, os.R_OK), reason=f"{KMSG} may not be read here: NOT tested against it"
)
def test_the_kernel_s_own_log_is_read_to_its_end():
    log = KernelLog(KMSG, BootClock(), KernelLines())
    if log.unread:
        pytest.skip(f"{log.unread}: NOT tested against it")
    for _ in range(100):
        before = log.lines.sequence
        log.pump()
        if log.lines.sequence == before:
            break
    assert log.lines.sequence > 0
    log.close()
