"""A privileged verb: `verb engine|connector start|stop|restart [--config DIR]`, run by root at each call.

Which unit that is stands in the configuration, which must be root's alone. Nothing is read from the caller;
the answer, one line of JSON, is written to it. systemctl speaks to systemd itself, with or without a bus.
"""

import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from inferagent.adapters.units.cgroup import processes
from inferagent.config.errors import ConfigError
from inferagent.config.fragments import DEFAULT_FOLDER, config_files, read_input

PARTS, VERBS = ("engine", "connector"), ("start", "stop", "restart")
UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,240}\.service")
WAITS = 270.0  # seconds for the jobs of one verb, all together
LEAST = 1.0  # seconds for each call of systemctl, even after that: what came of it has to be asked
SURE = 5.0  # for processes to be gone after SIGKILL
SHOWN = ("LoadState", "ActiveState", "MainPID", "ControlGroup", "KillMode")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NotDoneError(Exception):
    """`refused`: asking again without a change is useless."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


def main(argv: Sequence[str]) -> int:
    """Always 0: what went wrong is the caller's to say, and a failed unit more would help nobody."""
    try:
        part, verb, folder = _understood(argv)
        answer: dict[str, object] = {"ok": True, "message": perform(unit_of(part, folder), verb, Systemctl())}
    except NotDoneError as error:
        answer = {"ok": False, "message": str(error), "refused": error.refused}
    print(*argv, json.dumps(answer), file=sys.stderr)  # noqa: T201
    with suppress(BrokenPipeError, ConnectionResetError):
        os.write(sys.stdout.fileno(), json.dumps(answer).encode() + b"\n")
    return 0


def _understood(argv: Sequence[str]) -> tuple[str, str, Path]:
    match argv:
        case [part, verb] if part in PARTS and verb in VERBS:
            return part, verb, DEFAULT_FOLDER
        case [part, verb, "--config", folder] if part in PARTS and verb in VERBS:
            return part, verb, Path(folder)
    raise NotDoneError(f"cannot do {' '.join(argv)!r}: no such verb", refused=True)


def unit_of(part: str, folder: Path) -> str:
    """The systemd unit of a part by the configuration in `folder`; NotDoneError where it names none."""
    try:
        files = config_files(folder)
        for place in (folder, folder / "conf.d", *files):
            _check_owner(place)
        data = read_input(folder).data
    except (ConfigError, OSError) as error:
        raise NotDoneError(str(error), refused=True) from error
    if data.get("mode") != "act":
        raise NotDoneError(f"cannot touch the {part}: mode is not act in {folder}", refused=True)
    table = data.get(part)
    table = table[0] if isinstance(table, list) and table else table
    unit = table.get("unit") if isinstance(table, dict) else None
    if not isinstance(unit, str) or not UNIT.fullmatch(unit) or unit.startswith("-"):
        raise NotDoneError(f"cannot tell the {part}'s unit: no name.service stands in {folder}", refused=True)
    return unit


def _check_owner(place: Path) -> None:
    """Whoever could write here would be root."""
    if not place.exists():
        return
    found = place.stat()
    if found.st_uid != os.geteuid() or found.st_mode & WRITABLE_BY_OTHERS:
        cure = f"sudo chown root {place} && sudo chmod go-w {place}"
        raise NotDoneError(f"cannot trust {place}: others than root may change it → {cure}", refused=True)


@dataclass(frozen=True, slots=True)
class Systemctl:
    """Speaks to systemd itself. `end`: of all its jobs; past that, systemd goes on with them without us."""

    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)
    end: float = field(default_factory=lambda: time.monotonic() + WAITS)

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str] | None":
        """None when it did not end in time. The unit is the last word."""
        argv = ["systemctl", "--no-ask-password", *words[:-1], "--", words[-1]]
        try:
            return subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=self.environment,
                timeout=max(LEAST, self.end - time.monotonic()),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        except OSError as error:
            raise NotDoneError(f"cannot run systemctl: {error.strerror}") from error

    def show(self, unit: str) -> dict[str, str]:
        done = self("show", f"--property={','.join(SHOWN)}", unit)
        lines = done.stdout.splitlines() if done else []
        found = dict(line.split("=", 1) for line in lines if "=" in line)
        if set(SHOWN) - set(found):
            raise NotDoneError(
                f"cannot ask systemd about {unit}: {done.stderr.strip() if done else 'no answer'}"
            )
        return found


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
