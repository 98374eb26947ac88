"""The faults as files tell them while no agent runs: what it kept, and what the probe program saw since."""

from pathlib import Path

from inferagent.adapters.clock import BootClock
from inferagent.adapters.fault_file import FaultFile
from inferagent.adapters.files import why
from inferagent.adapters.gpu.report import GpuReportFile
from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.observed import Observed
from inferagent.model.saved import Saved
from inferagent.policy.faults import remember_faults, sheet
from inferagent.ports import PortError


def left_in(run: Path) -> FaultSheet:
    """Of this boot. PortError where the runtime folder may not be read, or is not there."""
    clock = BootClock()
    try:
        for path in run.iterdir():
            if path.name in ("faults.json", "gpu.json"):
                path.read_bytes()
    except OSError as error:
        raise PortError(f"cannot read the faults in {run}: {why(error)}") from error
    kept, probe = FaultFile(run), GpuReportFile(run, clock)
    saved = Saved(boot=clock.boot(), faults=kept.load(), cleared=kept.cleared)
    observed = Observed(clock.now(), clock.boot(), gpus=probe.read(), kernel=probe.kernel())
    return sheet(remember_faults(observed, saved), observed)
