"""What the privileged verbs share: the configuration that they trust, and systemctl with one deadline."""

import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferagent.config.errors import ConfigError
from inferagent.config.fragments import config_files, read_input
from inferagent.config.trust import mistrust

UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]{1,240}\.service")
WAITS = 270.0  # seconds for the jobs of one verb, all together
LEAST = 1.0  # seconds for each call of systemctl, even after that: what came of it has to be asked
SHOWN = ("LoadState", "ActiveState", "MainPID", "ControlGroup", "KillMode")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


class NotDoneError(Exception):
    """`refused`: asking again without a change is useless."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        super().__init__(text)
        self.refused = refused


def unit_of(part: str, folder: Path) -> str:
    """The systemd unit of a part by the configuration in `folder`; NotDoneError where it names none."""
    table = check_mode(folder, f"touch the {part}").get(part)
    table = table[0] if isinstance(table, list) and table else table
    unit = table.get("unit") if isinstance(table, dict) else None
    if not isinstance(unit, str) or not UNIT.fullmatch(unit) or unit.startswith("-"):
        raise NotDoneError(f"cannot tell the {part}'s unit: no name.service stands in {folder}", refused=True)
    return unit


def check_mode(folder: Path, deed: str) -> Mapping[str, Any]:
    """The configuration in `folder`, which only root may write; NotDoneError unless it says to act."""
    try:
        files = config_files(folder)
        for place in (folder, folder / "conf.d", *files):
            if text := mistrust(place):
                raise NotDoneError(text, refused=True)
        data = read_input(folder).data
    except (ConfigError, OSError) as error:
        raise NotDoneError(str(error), refused=True) from error
    if data.get("mode") != "act":
        raise NotDoneError(f"cannot {deed}: mode is not act in {folder}", refused=True)
    return data


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
