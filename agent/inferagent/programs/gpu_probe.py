"""The probe program: reads the GPUs in a process of its own and leaves what it read in gpu.json.

`python -m inferagent.programs.gpu_probe --run DIR [--every 5]`. A driver's call may hang for ever: the agent
never waits for this process, and a lock that it holds for life keeps a second one from being started.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.absent import AbsentGpus
from inferagent.adapters.gpu.leave import ReportWriter, hold_lock
from inferagent.adapters.gpu.nvidia import NvidiaGpus
from inferagent.model.gpu import GpuReport
from inferagent.model.reading import NotAvailable, Reading, Value

FAILURES = 12  # looks in a row without a driver; a fresh process may load another library


def probe(gpus: NvidiaGpus | AbsentGpus, writer: ReportWriter, every: float, end: threading.Event) -> None:
    """Look and report until asked to end, the host turns out to have no GPU, or the driver stays away."""
    failures = 0
    while failures < FAILURES and not end.is_set():
        report: Reading[GpuReport] = gpus.read()
        writer.report(report)
        if isinstance(report, NotAvailable):
            break
        failures = 0 if isinstance(report, Value) else failures + 1
        end.wait(every)
    gpus.close()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="inferagent-probe", description="Leaves GPU readings in a file.")
    parser.add_argument("--run", type=Path, required=True, help="the agent's runtime folder")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two looks")
    options = parser.parse_args(argv)
    options.run.mkdir(parents=True, exist_ok=True)
    if hold_lock(options.run) is None:
        return 0
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    clock = BootClock()
    writer = ReportWriter(options.run, clock, options.every)
    probe(NvidiaGpus(clock, writer.announce), writer, options.every, end)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
