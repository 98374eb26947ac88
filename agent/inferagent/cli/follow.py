"""Follows the agent's sentences until the host is where it was asked to go (`--wait`)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inferagent.cli.client import Reply, UnreachableError
from inferagent.model.unit import has_ended

PACE = 0.5  # seconds between two looks
ABSENCE = 15.0  # seconds that the agent may be away (it may be restarted meanwhile)


@dataclass(frozen=True, slots=True)
class Wait:
    """`phase` to reach within `limit` seconds; `held` says whether a hold must stay on the way.

    `lent`: the GPU must be free for others too. `down`: the engine's unit must have ended.
    """

    phase: str
    limit: float
    held: bool
    lent: bool = False
    down: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """`code` is the command's exit code; `text` says why, "" after success."""

    code: int
    text: str = ""
    cure: str = ""


def follow(
    wait: Wait,
    look: Callable[[], Reply],
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> End:
    """Look until the phase is reached; each new sentence is said once."""
    begun = seen = clock()
    said, obeyed, reached = "", False, False
    while clock() - begun <= wait.limit:
        try:
            document = look().document
            seen = clock()
        except UnreachableError as error:
            if clock() - seen > ABSENCE:
                return End(3, str(error), error.cure)
            sleep(PACE)
            continue
        sentence = str(document.get("sentence") or "")
        if sentence and sentence != said:
            say(sentence)
            said = sentence
        as_asked = bool(document.get("hold")) == wait.held
        reached = as_asked and document.get("phase") == wait.phase
        if reached and _free(wait, document):
            return End(0)
        if wait.phase == "serving" and document.get("mode") == "observe":
            return End(1, 'cannot wait: the mode is "observe", nothing joins', 'mode = "act" in config.toml')
        if obeyed and not as_asked:
            other = "it was resumed" if wait.held else "it is held again"
            return End(1, f"cannot wait any longer: {other} meanwhile", "inferagent status")
        obeyed = obeyed or as_asked
        sleep(PACE)
    lacks = "the engine still runs" if reached else f"not {wait.phase} within {wait.limit:.0f} s"
    return End(1, f"cannot wait any longer: {lacks}", "inferagent status")


def _free(wait: Wait, document: Mapping[str, Any]) -> bool:
    """What is asked beyond the phase."""
    if wait.lent and not document.get("lent"):
        return False
    return not wait.down or has_ended(str(document["engine"]["state"]))
