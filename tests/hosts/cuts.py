"""Judging power cuts: which failed requests they explain, what was written, whether saved state is whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from inferagent.adapters.saved_state import decode
from inferagent.lab.traffic_judge import Outcome

# Names that the agent gives to state which it cannot use, or which no longer says how things are.
LOST = (".damaged.", ".schema", "state.old.json")
COMPLAINTS = ("state-damaged", "state-not-saved", "hold-not-durable")


@dataclass(frozen=True)
class Cut:
    """`begun`: when what led to it began to cost requests; `at`: the cut; both of time.monotonic.

    `grace`: seconds after it within which the edge may still have sent somebody; None: nobody was there.
    """

    name: str
    begun: float
    at: float
    grace: float | None

    def explains(self, outcome: Outcome, host: str) -> bool:
        if self.grace is None or outcome.host not in ("", host):
            return False
        return outcome.end >= self.begun and outcome.start <= self.at + self.grace


def unexplained(outcomes: Iterable[Outcome], cuts: Sequence[Cut], host: str) -> list[Outcome]:
    """Failed requests that no cut explains."""
    failed = (each for each in outcomes if not each.ok)
    return [each for each in failed if not any(cut.explains(each, host) for cut in cuts)]


def membership(writes: Iterable[Mapping[str, Any]], pool: str) -> list[bool]:
    """What accepted writes made of this pool's `enabled`, without repetitions."""
    said = [write["body"].get("enabled") for write in writes if write["path"].endswith(f"/{pool}")]
    return [bool(value) for value, _ in groupby(said)]


def out_of_order(written: Sequence[bool], *, held: bool) -> str:
    """What is wrong about the writes since an order, or a cut; "" for nothing. `held`: none may enable.

    Without a hold, a host that booted may leave first, and comes back once.
    """
    if held:
        return "a held host was enabled" if True in written else ""
    calm: tuple[list[bool], ...] = ([], [True], [False, True])
    return "" if list(written) in calm else f"the writes were {list(written)}"


def keeps(before: str, after: str) -> bool:
    """Whether a file of lines has still got all that it had, but perhaps the last line."""
    return after.startswith("".join(before.splitlines(keepends=True)[:-1]))


def damage(names: Iterable[str], state: str | None, status: Mapping[str, Any]) -> str:
    """What is wrong about saved state, "" for nothing. `names` in the state folder, `state`: state.json."""
    lost = [name for name in names if any(mark in name for mark in LOST)]
    if lost:
        return f"set aside: {', '.join(lost)}"
    said = [each["text"] for each in status.get("findings", ()) if each["code"] in COMPLAINTS]
    if said:
        return "; ".join(said)
    if state is None:
        return "there is no state.json"
    try:
        saved = decode(state.encode())
    except ValueError as why:
        return f"state.json: {why}"
    return "" if saved.adopted and saved.baseline is not None else "it has forgotten what it had adopted"
