"""Units of a real systemd, for the contract suite: in a host that may be spoilt, never on anybody's machine.

The unit is started and stopped through the product's own verb sockets, whose verbs read which unit that is
from /etc/inferagent, as on any host.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.contract.units_bench import Bench, Missing, Seen, sleeper

from inferagent.adapters.clock import BootClock
from inferagent.adapters.units.systemd import SystemdUnit
from inferagent.model.unit import Part, UnitState

MARK = "INFERAGENT_SPOIL_THIS_HOST"  # set by whoever booted the host for nothing else
NO_HOST = "no host of its own to spoil: `make hosts` runs this half"
NAME = "contract.service"
FILE = Path("/run/systemd/system") / NAME
CONFIG = Path("/etc/inferagent/config.toml")
SOCKETS = [f"inferagent-verb-engine-{verb}.socket" for verb in ("start", "stop", "restart")]
QUICK = {"Restart": "always", "RestartSec": "150ms", "TimeoutStopSec": "1"}
LIMIT = {"StartLimitBurst": "5", "StartLimitIntervalSec": "10"}


def in_host() -> bool:
    return os.environ.get(MARK) == "1" and Path("/run/systemd/system").is_dir()


def systemctl(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)


def by_person(*words: str) -> None:
    done = systemctl(*words)
    assert done.returncode == 0, done.stderr


def states(seen: Seen) -> set[UnitState]:
    return {unit.state for unit in seen.readings}


def word(text: str) -> str:
    """One word of ExecStart=: in which $ is itself."""
    for old, new in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(old, new)
    return f'"{text}"'


class SystemdBench(Bench):
    restarts_within = 1.0  # systemd's clock for it is coarse

    def __init__(self, folder: Path) -> None:
        self._run = folder / "run"
        self._log = folder / "log"
        self.name = NAME
        CONFIG.parent.mkdir(parents=True, exist_ok=True)
        CONFIG.write_text(f'mode = "act"\n[[engine]]\nkind = "vllm"\nunit = "{NAME}"\n')
        started = systemctl("start", *SOCKETS)
        assert started.returncode == 0, started.stderr

    def make(self, *argv: str, service: Mapping[str, str] = QUICK) -> SystemdUnit:
        self.install(argv, service)
        return self.port()

    def port(self) -> SystemdUnit:
        return SystemdUnit(Part.ENGINE, self.name, self._run, BootClock())

    def install(self, argv: tuple[str, ...], service: Mapping[str, str] = QUICK) -> None:
        """The same file again is left alone: it is the next agent's look at it."""
        lines = ["[Unit]", *(f"{key}={value}" for key, value in LIMIT.items()), "[Service]"]
        lines += [f"ExecStart=:{' '.join(map(word, argv))}", f"StandardOutput=append:{self._log}"]
        lines += [f"{key}={value}" for key, value in service.items()]
        text = "\n".join(lines) + "\n"
        if not FILE.exists() or FILE.read_text() != text:
            FILE.write_text(text)
            systemctl("daemon-reload")

    def missing(self, folder: Path) -> Missing:
        return Missing(self.port(), f"there is no unit {NAME}", lambda: self.install(sleeper()))

    def log(self) -> str:
        return self._log.read_text()

    def saw(self, seen: Seen) -> None:
        """systemd ends its processes by the unit's name."""

    def clean(self) -> None:
        systemctl("unmask", NAME)
        systemctl("stop", NAME)
        systemctl("kill", "--signal=SIGKILL", NAME)
        systemctl("reset-failed", NAME)
        FILE.unlink(missing_ok=True)
        systemctl("daemon-reload")
