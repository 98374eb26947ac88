"""The probe program: reads the GPUs and the kernel's log in a process of its own, and leaves it in gpu.json.

`python -m inferagent.programs.gpu_probe --run DIR [--every 5] [--kernel-log /dev/kmsg]`. A driver's call may
hang for ever: the agent never waits for this process, the kernel's log goes on being read, and a lock that
it holds for life keeps a second one from being started.
"""

import argparse
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu import bus, versions
from inferagent.adapters.gpu.earlier import earlier
from inferagent.adapters.gpu.kernel_lines import KernelLines
from inferagent.adapters.gpu.kernel_log import KMSG, KernelLog
from inferagent.adapters.gpu.leave import ReportWriter, hold_lock, says_absent
from inferagent.adapters.gpu.nvidia import NvidiaGpus
from inferagent.adapters.gpu.roster import Roster
from inferagent.model.gpu import GpuReport
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.reading import NotAvailable, Reading, Value, known

FAILURES = 12  # looks in a row without a driver; a fresh process may load another library
MISFIT_PAUSE = 60.0  # seconds: each try at a driver that does not fit leaves a line in the kernel's log
BETWEEN = 0.25  # seconds between two batches of the kernel's log, however much comes
RESET_WINDOW = 3600.0  # seconds after the kernel's word in which somebody may want to reset the GPU


@dataclass
class Probe:
    """Two threads' work: `look` asks the driver, `follow` reads the kernel's log."""

    gpus: NvidiaGpus
    log: KernelLog
    roster: Roster
    writer: ReportWriter
    clock: BootClock
    end: threading.Event
    mismatch: str = ""
    told: int = -1  # the last line of a sticky fault that was told

    def look(self, every: float) -> None:
        """Until asked to end, the host turns out to have no GPU, or the driver stays away."""
        failures = 0
        while failures < FAILURES and not self.end.is_set():
            report = self.gpus.read()
            self._compare()
            self.tell(at_once=False)
            self.writer.report(report)
            if self.gpus.misfit:
                self.end.wait(MISFIT_PAUSE)
                break
            if isinstance(report, NotAvailable) and not bus.places(bus.AMD, "amdgpu"):
                break
            failures = failures + 1 if not isinstance(report, Value | NotAvailable) else 0
            if self._wants_reset(report):
                self.gpus.close()  # a driver that anybody has open cannot be reset
            self.end.wait(every)
        self.gpus.close()

    def follow(self) -> None:
        """In a thread of its own: told at once is a kind of line that is new, and a sticky fault each time.

        Somebody may have cleared it since, and a driver that hangs writes no report.
        """
        while not self.end.is_set() and self.log.wait():
            if self.log.pump() or self._last_sticky() > self.told:
                self.tell(at_once=True)
            self.end.wait(BETWEEN)

    def _compare(self) -> None:
        differ = versions.mismatch()
        unnamed = "the NVIDIA driver in the kernel and its library are of different versions"
        self.mismatch = differ or (unnamed if self.gpus.misfit else "")

    def _faults(self) -> tuple[KernelFault, ...]:
        lines = self.log.lines
        faults = sorted(lines.faults.values(), key=lambda fault: fault.at)
        return tuple(self.roster.named(fault, lines.uuids) for fault in faults)

    def _last_sticky(self) -> int:
        faults = list(self.log.lines.faults.values())
        return max((fault.sequence for fault in faults if fault.cure), default=-1)

    def tell(self, *, at_once: bool) -> None:
        if at_once:
            self.told = self._last_sticky()
        look = KernelLook(self._faults(), self.log.unread, self.log.lines.sequence, self.mismatch)
        self.writer.kernel(look, at_once=at_once)

    def _wants_reset(self, report: Reading[GpuReport]) -> bool:
        read, now = known(report), self.clock.now()
        said = any(gpu.fault == "reset-required" for gpu in read.gpus) if read else False
        return said or any(
            fault.cure == "reset" and now - fault.last_at < RESET_WINDOW for fault in self._faults()
        )


def make(run: Path, every: float, kernel_log: Path, end: threading.Event) -> Probe:
    """What the kernel has said so far is read before the driver is asked for the first time."""
    clock = BootClock()
    names, faults = earlier(run, clock.boot())
    roster = Roster(names)
    writer = ReportWriter(run, clock, every, roster)
    lines = KernelLines({(fault.pci, fault.code): fault for fault in faults})
    log = KernelLog(kernel_log, clock, lines)
    if log.unread:
        sys.stderr.write(f"{log.unread}: faults are known from the driver alone\n")
    log.pump()
    made = Probe(NvidiaGpus(clock, writer.announce, roster=roster), log, roster, writer, clock, end)
    made.tell(at_once=True)
    return made


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="inferagent-probe", description="Leaves GPU readings in a file.")
    parser.add_argument("--run", type=Path, required=True, help="the agent's runtime folder")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two looks")
    parser.add_argument("--rest", type=float, default=0.0, help="seconds to stay where there is no GPU")
    parser.add_argument("--kernel-log", type=Path, default=KMSG, help="where the kernel's records are read")
    options = parser.parse_args(argv)
    options.run.mkdir(parents=True, exist_ok=True)
    if hold_lock(options.run) is None:
        return 0
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    made = make(options.run, options.every, options.kernel_log, end)
    for thread in (made.follow, lambda: made.writer.tell_slow_calls(end)):
        threading.Thread(target=thread, daemon=True).start()
    made.look(options.every)
    if says_absent(options.run):
        end.wait(options.rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
