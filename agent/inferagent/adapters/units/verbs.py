"""The client of the verb sockets: what the agent, which has no rights, asks systemd's socket units to do.

One socket a part and verb. Nothing is sent: who may ask is the mode of the socket's file, and what is done
stands in the configuration of root. The answer is one line of JSON: {"ok": true, "message": ""}.
"""

import asyncio
import json
import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from inferagent.adapters.files import why
from inferagent.ports import PortError

FOLDER = Path("/run/inferagent-verbs")
ANSWERS = 290.0  # seconds; systemd may wait for a stop that takes its time
LONGEST = 16384  # bytes of an answer


class Verbs:
    """The verbs of one part, or of "gpu" or "host". `unit` is only for messages."""

    def __init__(self, part: str, unit: str, folder: Path = FOLDER, answers: float = ANSWERS) -> None:
        self._part, self._unit, self._folder, self._answers = part, unit, folder, answers

    async def ask(self, verb: str) -> str:
        """Returns when it is done, with a remark or "". PortError says why not, and the cure."""
        cannot = f"cannot {verb} {self._unit}"
        try:
            async with asyncio.timeout(self._answers), self._open(verb, cannot) as reader:
                raw = await reader.readline()
        except TimeoutError:
            raise PortError(
                f"{cannot}: not done within {self._answers:g} s → {self._journal(verb)}"
            ) from None
        except OSError as error:
            raise PortError(f"{cannot}: {why(error)}") from error
        except ValueError:  # no end of the line in sight
            raw = b"?"
        return self._understood(verb, cannot, raw)

    @asynccontextmanager
    async def _open(self, verb: str, cannot: str) -> AsyncIterator[asyncio.StreamReader]:
        name = f"{self._part}-{verb}"
        path = self._folder / f"{name}.sock"
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST)
        except FileNotFoundError:
            cure = f"sudo systemctl enable --now inferagent-verb-{name}.socket"
            raise PortError(f"{cannot}: there is no socket {path} → {cure}", refused=True) from None
        except PermissionError:
            text = f"{path} is not for the user {_user()} → sudo systemctl restart inferagent"
            raise PortError(f"{cannot}: {text}", refused=True) from None
        except ConnectionRefusedError:
            cure = f"sudo systemctl restart inferagent-verb-{name}.socket"
            raise PortError(f"{cannot}: nobody listens at {path} → {cure}", refused=True) from None
        try:
            yield reader
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _journal(self, verb: str) -> str:
        return f"journalctl -u 'inferagent-verb-{self._part}-{verb}@*'"

    def _understood(self, verb: str, cannot: str, raw: bytes) -> str:
        journal = self._journal(verb)
        if not raw:
            raise PortError(f"{cannot}: the verb ended without an answer → {journal}")
        try:
            answer = json.loads(raw)
            ok, message = answer["ok"], answer["message"]
        except (ValueError, TypeError, KeyError):
            ok, message = None, ""
        if not isinstance(ok, bool) or not isinstance(message, str):
            raise PortError(f"{cannot}: the verb's answer makes no sense → {journal}")
        if not ok:
            raise PortError(message or f"{cannot} → {journal}", refused=answer.get("refused") is True)
        return message


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
