"""The privileged deeds that mean the host as a whole: reset its GPUs, power it off."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from inferagent.adapters.units.cgroup import processes
from inferagent.programs.verb_tools import ENVIRONMENT, NotDoneError, Systemctl, check_mode, unit_of

RESET = ("nvidia-smi", "--gpu-reset")
SURE = 1.0  # seconds for it to be gone after SIGKILL
RESETS_WITHIN = 120.0  # seconds; eight GPUs that are linked take about half a minute
# They have the driver open all the time, and a driver that anybody has open cannot be reset.
HOLDERS = ("inferagent-probe.service", "nvidia-persistenced.service")
ROOM = "sudo inferagent drain --stop-engine --wait"
LARGEST = 65536  # bytes of what a program says
REBOOT = "sudo systemctl reboot"
LONGEST = 300  # characters of what a program complained


def reset_gpus(folder: Path, systemctl: Systemctl, within: float = RESETS_WITHIN) -> str:
    """What the driver's tool said, in one line. All GPUs: those that are linked can only be reset together.

    The tool itself refuses a GPU that anybody uses. NotDoneError when no GPU was reset.
    """
    unit = unit_of("engine", folder)
    if not _rests(systemctl, unit):
        raise NotDoneError(f"cannot reset the GPUs: {unit} is not stopped → {ROOM}", refused=True)
    with _let_go(systemctl):
        return _reset(systemctl.environment.get("PATH", ENVIRONMENT["PATH"]), within)


def _rests(systemctl: Systemctl, unit: str) -> bool:
    """Not even between two lives: systemd would begin the next in the middle of the reset."""
    found = systemctl.show(unit)
    return found["ActiveState"] in ("inactive", "failed") and not processes(found["ControlGroup"])


@contextmanager
def _let_go(systemctl: Systemctl) -> Iterator[None]:
    """Who held the driver holds it again afterwards, whatever came of it."""
    held = [unit for unit in HOLDERS if not _rests(systemctl, unit)]
    try:
        for unit in held:
            systemctl("stop", unit)
        yield
    finally:
        for unit in reversed(held):
            systemctl("start", unit)


def _reset(path: str, within: float) -> str:
    with tempfile.TemporaryFile() as output:
        code = _ended(path, within, output)
        output.seek(0)
        said = " ".join(output.read(LARGEST).decode("utf-8", "replace").split())[:LONGEST]
    if code:
        raise NotDoneError(f"cannot reset the GPUs: {said or f'nvidia-smi ended with {code}'}")
    return said


def _ended(path: str, within: float, output: IO[bytes]) -> int:
    """Its exit code. One that is stuck in the kernel cannot be killed: nobody waits for it."""
    named = {**ENVIRONMENT, "PATH": path}
    try:
        child = subprocess.Popen(RESET, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=named)
    except FileNotFoundError:
        raise NotDoneError(f"cannot reset the GPUs: no nvidia-smi is here → {REBOOT}", refused=True) from None
    try:
        return child.wait(within)
    except subprocess.TimeoutExpired:
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(SURE)
        text = f"cannot reset the GPUs: not done within {within:g} s → {REBOOT}"
        raise NotDoneError(text) from None


def power_off(folder: Path, systemctl: Systemctl) -> str:
    """In order: systemd stops all units, and the drain unit takes the host out of the pool first."""
    check_mode(folder, "power this host off")
    done = systemctl("poweroff")
    if done is None or done.returncode:
        said = done.stderr.strip() if done else "systemd does not answer"
        raise NotDoneError(f"cannot power this host off: {said}")
    return ""
