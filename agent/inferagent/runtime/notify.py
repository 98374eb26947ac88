"""Tell systemd, where it listens: READY after the first tick, one sentence, and the watchdog of each tick."""

import contextlib
import os
import socket
import time

import sdnotify

from inferagent.model.status import Status


class Notifier:
    """Does nothing outside systemd. The variable is taken out of the environment: children must not speak."""

    def __init__(self) -> None:
        listens = "NOTIFY_SOCKET" in os.environ
        self._notifier = sdnotify.SystemdNotifier() if listens else None
        os.environ.pop("NOTIFY_SOCKET", None)
        self._ready = False

    def tell(self, document: Status) -> None:
        if self._notifier is None:
            return
        sentence = " ".join(document.sentence.split())  # a second line would be another word to systemd
        lines = ["WATCHDOG=1", f"STATUS={sentence}"]
        if not self._ready:
            lines.insert(0, "READY=1")
        self._ready |= self._send("\n".join(lines))

    def reloading(self, begins: bool) -> None:
        """systemd waits for the end of a reload that it asked for, and tells it by the time of its begin."""
        if self._notifier is None or not self._ready:
            return
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={microseconds}" if begins else "READY=1")

    def _send(self, text: str) -> bool:
        """Whether it was taken. The library's own way takes Latin-1 only, and waits while nobody reads."""
        if self._notifier is None or self._notifier.socket is None:
            return False
        with contextlib.suppress(OSError):
            self._notifier.socket.send(text.encode("utf-8", "replace"), socket.MSG_DONTWAIT)
            return True
        return False

    def close(self) -> None:
        if self._notifier is not None and self._notifier.socket is not None:
            self._notifier.socket.close()
