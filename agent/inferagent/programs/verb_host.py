"""The privileged deeds that mean the host as a whole: reset its GPUs, power it off."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferagent.adapters.units.cgroup import processes
from inferagent.programs.verb_tools import ENVIRONMENT, NotDoneError, Systemctl, check_mode, unit_of

RESET = ("nvidia-smi", "--gpu-reset")
RESETS_WITHIN = 120.0  # seconds; eight GPUs that are linked take about half a minute
# They have the driver open all the time, and a driver that anybody has open cannot be reset.
HOLDERS = ("inferagent-probe.service", "nvidia-persistenced.service")
ROOM = "sudo inferagent drain --stop-engine --wait"
LONGEST = 300  # characters of what a program complained


def reset_gpus(folder: Path, systemctl: Systemctl) -> str:
    """What the driver's tool said, in one line. All GPUs: those that are linked can only be reset together.

    The tool itself refuses a GPU that anybody uses. NotDoneError when no GPU was reset.
    """
    unit = unit_of("engine", folder)
    found = systemctl.show(unit)
    if int(found["MainPID"]) or processes(found["ControlGroup"]):
        raise NotDoneError(f"cannot reset the GPUs: {unit} runs → {ROOM}", refused=True)
    with _let_go(systemctl):
        return _reset(systemctl.environment.get("PATH", ENVIRONMENT["PATH"]))


@contextmanager
def _let_go(systemctl: Systemctl) -> Iterator[None]:
    """Who held the driver holds it again afterwards, whatever came of it."""
    held = [unit for unit in HOLDERS if int(systemctl.show(unit)["MainPID"])]
    try:
        for unit in held:
            systemctl("stop", unit)
        yield
    finally:
        for unit in reversed(held):
            systemctl("start", unit)


def _reset(path: str) -> str:
    cannot = "cannot reset the GPUs"
    try:
        done = subprocess.run(
            RESET,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**ENVIRONMENT, "PATH": path},
            timeout=RESETS_WITHIN,
            check=False,
        )
    except FileNotFoundError:
        raise NotDoneError(
            f"{cannot}: there is no nvidia-smi → sudo systemctl reboot", refused=True
        ) from None
    except subprocess.TimeoutExpired:
        raise NotDoneError(f"{cannot}: not done within {RESETS_WITHIN:g} s → sudo systemctl reboot") from None
    said = " ".join(done.stdout.split())[:LONGEST]
    if done.returncode:
        raise NotDoneError(f"{cannot}: {said or f'nvidia-smi ended with {done.returncode}'}")
    return said


def power_off(folder: Path, systemctl: Systemctl) -> str:
    """In order: systemd stops all units, and the drain unit takes the host out of the pool first."""
    check_mode(folder, "power this host off")
    done = systemctl("poweroff")
    if done is None or done.returncode:
        said = done.stderr.strip() if done else "systemd does not answer"
        raise NotDoneError(f"cannot power this host off: {said}")
    return ""
