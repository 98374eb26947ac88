"""Who a pool belongs to and what it promises: one short line in its description, written by setup.

"inferagent machine=1f2e3d4c5b6a7988 serves=chat,embed": every host can read what the others promise.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from inferagent.ports import PortError

MARK = "inferagent"
MACHINE_ID = Path("/etc/machine-id")
_LINE = re.compile(rf"{MARK} machine=([0-9a-f]*) serves=(\S*)")


@dataclass(frozen=True, slots=True)
class Promise:
    """`machine` "" where many machines stand behind the pool; `models` are public model names, sorted."""

    machine: str
    models: tuple[str, ...]


def describe(promise: Promise) -> str:
    names = ",".join(quote(name, safe="/:@._-") for name in promise.models)
    return f"{MARK} machine={promise.machine} serves={names}"


def parse(description: str | None) -> Promise | None:
    """None for a description that setup did not write."""
    found = _LINE.match(description or "")
    if found is None:
        return None
    names = tuple(unquote(name) for name in found[2].split(",") if name)
    return Promise(found[1], names)


def machine_identity(path: Path = MACHINE_ID) -> str:
    """Sixteen hex digits that tell this machine from others; the raw id is not published (see machine-id(5)).

    "" where the machine has no id (some containers): then two agents with one identity are not told apart.
    """
    try:
        raw = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise PortError(f"cannot read {path}: {error}") from error
    if not raw or raw == "uninitialized":
        return ""
    return hashlib.sha256(f"{MARK} {raw}".encode()).hexdigest()[:16]
