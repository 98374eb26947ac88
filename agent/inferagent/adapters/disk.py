"""Deeds on a disk that may hang: done in a thread, and waited for no longer than the agent can bear."""

import threading
from collections.abc import Callable

from inferagent.ports import PortError

BOUND = 1.0  # seconds; a disk under load may take most of one for an fsync


class Disk:
    """One deed at a time. `name` says what is written, for the thread's name."""

    def __init__(self, name: str, bound: float = BOUND) -> None:
        self._name, self._bound = name, bound
        self._last = threading.Event()
        self._last.set()

    def do(self, deed: Callable[[], None]) -> None:
        """Raises the OSError or PortError of `deed`, and TimeoutError, an OSError too, for one that hangs.

        A deed that hangs may still succeed later; until it has ended no other one is begun.
        """
        if not self._last.is_set():
            raise TimeoutError("the disk still has not answered")
        outcome: list[OSError | PortError | None] = []
        self._last = done = threading.Event()

        def run() -> None:
            try:
                deed()
                outcome.append(None)
            except (OSError, PortError) as error:
                outcome.append(error)
            finally:
                done.set()

        threading.Thread(target=run, name=f"writes {self._name}", daemon=True).start()
        if not done.wait(self._bound):
            raise TimeoutError(f"the disk does not answer within {self._bound:g} s")
        (error,) = outcome
        if error is not None:
            raise error
