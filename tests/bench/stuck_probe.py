"""A GPU probe whose driver's call never returns: it holds the probe's lock and has said which call it is in.

`python stuck_probe.py --run DIR`, in place of the real probe program, started before the agent.
"""

import signal
import sys
from pathlib import Path

from inferagent.adapters.clock import BootClock
from inferagent.adapters.gpu.leave import LOCK, ReportWriter, hold_lock
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.reading import Value

AGO = 60.0  # seconds for which the call has been under way already


class Earlier(BootClock):
    """The boot clock as it was when the call began."""

    def now(self) -> float:
        return super().now() - AGO


def main() -> int:
    run = Path(sys.argv[sys.argv.index("--run") + 1])
    run.mkdir(parents=True, exist_ok=True)
    if hold_lock(run) is None:
        sys.stdout.write("cannot take the place of the GPU probe: another one lives\n")
        return 1
    (run / LOCK).write_text(str(_own_pid()), "ascii")
    clock = Earlier()
    writer = ReportWriter(run, clock, 5.0)
    seen = Value(100, clock.now())
    gpu = Gpu(0, "GPU-bench", "bench GPU", utilisation=seen)
    writer.report(Value(GpuReport((gpu,), Value(1, clock.now()), "0"), clock.now()))
    writer.announce("GPU 0: utilisation")
    writer.tell()
    sys.stdout.write("stuck\n")
    sys.stdout.flush()
    while True:
        signal.pause()


def _own_pid() -> int:
    return int(Path("/proc/self").readlink().name)


if __name__ == "__main__":
    sys.exit(main())
