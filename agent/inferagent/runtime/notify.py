"""Tell systemd, where it listens: READY after the first tick, one sentence, and the watchdog of each tick."""

import os

import sdnotify

from inferagent.model.status import Status


class Notifier:
    """Does nothing outside systemd. The variable is taken out of the environment: children must not speak."""

    def __init__(self) -> None:
        self._notifier = sdnotify.SystemdNotifier()
        os.environ.pop("NOTIFY_SOCKET", None)
        self._ready = False

    def tell(self, document: Status) -> None:
        lines = ["WATCHDOG=1", f"STATUS={document.sentence}"]
        if not self._ready:
            lines.insert(0, "READY=1")
            self._ready = True
        self._notifier.notify("\n".join(lines))
