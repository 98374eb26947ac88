"""The running agent as the installer meets it: over the control sockets, each question with a deadline."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferagent.ports import PortError
from inferagent.programs.exchange import exchange

READING, ACTING = "control.sock", "operator.sock"
ANSWER = 5.0  # seconds
PACE = 0.2  # seconds between two looks
ABSENCE = 15.0  # seconds that it may be away while it is waited for
SILENT = "sudo journalctl -u inferagent -n 50"

Document = dict[str, Any]


@dataclass(frozen=True)
class Agent:
    """`run` is its runtime folder. `tell` hears each new sentence of its status while it is waited for."""

    run: Path
    tell: Callable[[str], None]
    answer: float = ANSWER
    pace: float = PACE

    def status(self) -> Document | None:
        """None where no agent runs. PortError where one does not answer: nobody knows what it does next."""
        try:
            return self._ask(READING, "GET", "/v1/status")[1]
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except (OSError, ValueError) as error:
            raise PortError(f"cannot ask the agent how it is: {error} → {SILENT}") from error

    def order(self, target: str, fields: Document) -> None:
        """PortError with its own words where it refuses."""
        try:
            code, document = self._ask(ACTING, "POST", target, fields)
        except (OSError, ValueError) as error:
            raise PortError(
                f"cannot ask the agent to {target.rpartition('/')[2]}: {error} → {SILENT}"
            ) from error
        if code != 200:
            cure = document.get("cure")
            raise PortError(f"{document.get('message')}{f' → {cure}' if cure else ''}", refused=True)

    def until(self, reached: Callable[[Document], bool], limit: float) -> bool:
        """Whether it came to that within so many seconds."""
        end, seen, said = time.monotonic() + limit, time.monotonic(), ""
        while time.monotonic() < end:
            try:
                document = self.status()
            except PortError:
                document = None
            if document is not None:
                seen = time.monotonic()
                said = self._told(str(document.get("sentence") or ""), said)
                if reached(document):
                    return True
            elif time.monotonic() - seen > ABSENCE:
                return False
            time.sleep(self.pace)
        return False

    def _told(self, sentence: str, said: str) -> str:
        if sentence and sentence != said:
            self.tell(f"  {sentence}")
        return sentence

    def _ask(
        self, name: str, method: str, target: str, fields: Document | None = None
    ) -> tuple[int, Document]:
        body = None if fields is None else json.dumps(fields).encode()
        code, raw = exchange(self.run / name, method, target, body, self.answer)
        found = json.loads(raw)
        if not isinstance(found, dict):
            raise ValueError("its answer makes no sense")
        return code, found
