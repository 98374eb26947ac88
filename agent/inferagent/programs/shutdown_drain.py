"""What systemd runs before the host goes down, while network, engine and connector are still there.

`shutdown_drain [--config DIR] [--now]` tells the agent how long there is ([drain] shutdown) and waits until
it is out, never longer; where the host is not going down it does nothing, but for --now (package removed).
A replica leaves by the end of its connector, which systemd tells to end as soon as this program has ended.
"""

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from inferagent.config.errors import ConfigError
from inferagent.config.fragments import DEFAULT_FOLDER, find_run
from inferagent.config.load import load
from inferagent.model.membership import MembershipKind
from inferagent.programs.exchange import exchange

LOOK = 0.25  # seconds between two looks
ANSWER = 3.0  # seconds for an answer of the agent
USUAL = 25.0  # seconds, where the configuration cannot be read


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="inferagent-shutdown-drain", description="Leaves before the end.")
    parser.add_argument("--config", type=Path, default=DEFAULT_FOLDER, help="the configuration folder")
    parser.add_argument("--now", action="store_true", help="leave, whether the host goes down or not")
    options = parser.parse_args(argv)
    if not options.now and not going_down():
        return 0
    begun = time.monotonic()
    seconds, waits = budget(options.config)
    signal.alarm(int(seconds) + 2)  # whatever hangs: the host must be able to go
    said = drain(find_run(options.config)[0], seconds - (time.monotonic() - begun), waits=waits)
    sys.stderr.write(f"{said} after {time.monotonic() - begun:.1f} s\n")
    return 0


def going_down() -> bool:
    argv = ["/usr/bin/systemctl", "is-system-running"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    return done.stdout.strip() == "stopping"


def budget(folder: Path) -> tuple[float, bool]:
    """Seconds that there are, and whether it is the agent that leaves."""
    try:
        settings = load(folder).settings
    except ConfigError:
        return USUAL, True
    if settings is None:
        return USUAL, True
    by_unit = settings.membership.kind is MembershipKind.REPLICA and bool(settings.connector.unit)
    return settings.drain.shutdown, not by_unit


def drain(run: Path, seconds: float, *, waits: bool = True) -> str:
    """What came of it."""
    end = time.monotonic() + seconds
    try:
        answer = ask(run / "operator.sock", "POST", "/v1/going", {"seconds": seconds})
        if answer.get("ok") is not True:
            return f"did not leave: {answer.get('message')}"
        while waits and time.monotonic() < end:
            with contextlib.suppress(TimeoutError):  # it is slow, and yet there: it goes on leaving
                if ask(run / "control.sock", "GET", "/v1/status").get("phase") == "out":
                    return "out"
            time.sleep(LOOK)
    except (OSError, ValueError) as error:
        return f"cannot ask the agent: {error}"
    return "not out" if waits else "left to the connector"


def ask(path: Path, method: str, target: str, fields: dict[str, object] | None = None) -> dict[str, Any]:
    """OSError or ValueError where no answer came."""
    body = json.dumps(fields).encode() if fields is not None else None
    found = json.loads(exchange(path, method, target, body, ANSWER)[1])
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
