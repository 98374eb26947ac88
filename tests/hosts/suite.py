"""What every host suite shares: what it says while it runs, and how it ends."""

import os
import signal
import sys
import time
from collections.abc import Callable

from tests.hosts.base import NoHostsError

SKIPPED = 77  # this machine cannot boot hosts


def full() -> bool:
    """As long as the bars ask for, and not only to see that all still works."""
    return bool(os.environ.get("HOSTS_FULL"))


def say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def outcome(suite: Callable[[], None]) -> int:
    """0, 1 for a bar that was missed, SKIPPED with the reason."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs is ended first
    try:
        suite()
    except NoHostsError as why:
        say(f"skipped: {why}")
        return SKIPPED
    except AssertionError as missed:
        say(f"FAILED: {missed}")
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)
    say("passed")
    return 0
