"""A privileged verb, run by root at each call: `verb engine|connector start|stop|restart [--config DIR]`.

Two mean the host: `verb gpu reset`, `verb host power-off`. Which unit is meant stands in the configuration,
which must be root's alone. Nothing is read from the caller; the answer, one line of JSON, is written to it.
systemctl speaks to systemd itself, with or without a bus.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inferagent.adapters.units.cgroup import processes
from inferagent.config.fragments import DEFAULT_FOLDER
from inferagent.programs.verb_host import power_off, reset_gpus
from inferagent.programs.verb_tools import NotDoneError, Systemctl, unit_of

PARTS, VERBS = ("engine", "connector"), ("start", "stop", "restart")
DEEDS = {("gpu", "reset"): reset_gpus, ("host", "power-off"): power_off}
SURE = 5.0  # for processes to be gone after SIGKILL


def main(argv: Sequence[str]) -> int:
    """Always 0: what went wrong is the caller's to say, and a failed unit more would help nobody."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was begun is put back
    try:
        answer: dict[str, object] = {"ok": True, "message": _done(*_understood(argv))}
    except NotDoneError as error:
        answer = {"ok": False, "message": str(error), "refused": error.refused}
    print(*argv, json.dumps(answer), file=sys.stderr)  # noqa: T201
    with suppress(BrokenPipeError, ConnectionResetError):
        os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")
    return 0


def _understood(argv: Sequence[str]) -> tuple[str, str, Path]:
    match argv:
        case [part, verb] if _known(part, verb):
            return part, verb, DEFAULT_FOLDER
        case [part, verb, "--config", folder] if _known(part, verb):
            return part, verb, Path(folder)
    raise NotDoneError(f"cannot do {' '.join(argv)!r}: no such verb", refused=True)


def _known(part: str, verb: str) -> bool:
    return (part in PARTS and verb in VERBS) or (part, verb) in DEEDS


def _done(part: str, verb: str, folder: Path) -> str:
    if deed := DEEDS.get((part, verb)):
        return deed(folder, Systemctl())
    return perform(unit_of(part, folder), verb, Systemctl())


def perform(unit: str, verb: str, systemctl: Systemctl) -> str:
    """A remark or ""; NotDoneError when systemd could not do it."""
    before = systemctl.show(unit)
    _check_loaded(unit, verb, before["LoadState"])
    if verb == "stop":
        systemctl(verb, unit)
        _end_leftovers(unit, verb, systemctl)
        return ""
    systemctl("reset-failed", unit)  # a word from above counts for more than a start limit
    if verb == "restart" and before["KillMode"] not in ("control-group", "mixed"):
        systemctl("stop", unit)  # systemd would leave the other processes of this life to the next
        verb = "start"
    if verb == "start" or not int(before["MainPID"]):
        _end_leftovers(unit, verb, systemctl)
    return _started(unit, verb, systemctl(verb, unit), systemctl.show(unit))


def _check_loaded(unit: str, verb: str, load: str) -> None:
    if load == "not-found":
        raise NotDoneError(f"cannot {verb} {unit}: there is no such unit", refused=True)
    if load == "masked" and verb != "stop":
        raise NotDoneError(f"cannot {verb} {unit}: it is masked → sudo systemctl unmask {unit}", refused=True)


def _started(
    unit: str, verb: str, done: "subprocess.CompletedProcess[str] | None", after: dict[str, str]
) -> str:
    """What systemctl says is not the whole of it: a unit whose condition fails is skipped without a word."""
    if done is None and int(after["MainPID"]):
        return f"{unit} is still starting"
    if done is None or done.returncode:
        said = done.stderr.strip().splitlines()[0] if done and done.stderr.strip() else "it takes too long"
        raise NotDoneError(f"cannot {verb} {unit}: {said} → systemctl status {unit}")
    if after["ActiveState"] not in ("active", "activating", "reloading", "refreshing"):
        raise NotDoneError(f"cannot {verb} {unit}: it is {after['ActiveState']} → systemctl status {unit}")
    return ""


def _end_leftovers(unit: str, verb: str, systemctl: Systemctl) -> None:
    """What a stop has left of a unit that rests, or of an earlier life, is killed."""
    found = systemctl.show(unit)
    if int(found["MainPID"]):
        if verb == "stop":
            raise NotDoneError(f"cannot {verb} {unit}: its main process goes on → systemctl status {unit}")
        return
    group, end = found["ControlGroup"], time.monotonic() + SURE
    if found["ActiveState"] == "activating" or not processes(group):
        return
    systemctl("kill", "--signal=SIGKILL", unit)
    while left := len(processes(group)):
        if time.monotonic() > end:
            raise NotDoneError(f"cannot {verb} {unit}: {left} of its processes survive SIGKILL")
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
