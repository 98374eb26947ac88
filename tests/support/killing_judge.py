"""What a drain must keep through kill -9 of its agent, judged by what was seen from outside; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

CLOCKS = 0.05  # seconds by which two processes' notes of one moment may differ
OUTWARD = ("draining", "out")
LOOKS = 0.1  # a reading is so much older than what is decided on it, at most, beside a quiet time


@dataclass(frozen=True)
class Terms:
    """The host's settings, in seconds, and how long a new agent may need until all is as it should be."""

    settle: float
    quiet: float
    cache: float
    bound: float


@dataclass(frozen=True)
class Evidence:
    """One round, in wall seconds.

    `began`: the hold was on disk, or the engine was killed. Changes of `ready`, `engine`, `connector` and
    `routed` begin with what held then, `phases` with the first answer after the kill. `lives`: of the engine,
    by its own witness. `answered`: begin and end of each request that the host answered; `failed`: begin and
    cause. `found`: the saved phase at the kill; `left_at`: of the saved drain, at the kill and at the end.
    `took`: from the last agent's first answer until all was as it should be.
    """

    began: float
    writes: tuple[tuple[float, bool], ...]
    ready: tuple[tuple[float, int], ...]
    lives: tuple[tuple[float, str, int], ...]
    engine: tuple[tuple[float, int], ...]
    connector: tuple[tuple[float, int], ...]
    routed: tuple[tuple[float, bool], ...] = ()
    phases: tuple[tuple[float, str], ...] = ()
    answered: tuple[tuple[float, float], ...] = ()
    failed: tuple[tuple[float, str], ...] = ()
    found: str = ""
    left_at: tuple[float | None, float | None] = (None, None)
    took: float = 0.0
    held: bool = True


@dataclass
class Breaches:
    """Sentences of what was not kept."""

    found: list[str] = field(default_factory=list)

    def unless(self, kept: bool, text: str) -> None:
        if not kept:
            self.found.append(text)


def of_drain(seen: Evidence, terms: Terms) -> list[str]:
    """A drain by the operator that ends with the engine stopped: everything until `resume`."""
    breaches = Breaches()
    _common(seen, terms, breaches)
    breaches.unless(not any(member for _, member in seen.writes), "enabled after the drain had begun")
    breaches.unless([code for _, code in seen.ready] == [200, 503], f"ready URL {_order(seen.ready)}")
    breaches.unless(seen.held, "the hold is gone")
    breaches.unless(not seen.failed, f"failed: {_times(seen, seen.failed)}")
    _stopped_last(seen, terms, breaches)
    _went_on(seen, breaches)
    return breaches.found


def _common(seen: Evidence, terms: Terms, breaches: Breaches) -> None:
    breaches.unless(len({pid for _, pid in seen.connector}) == 1, f"connector {_order(seen.connector)}")
    breaches.unless(all(code in (200, 503) for _, code in seen.ready), "the ready URL did not answer")
    breaches.unless(seen.took <= terms.bound, f"took {seen.took:.1f} s, at most {terms.bound:.1f} s")


def _stopped_last(seen: Evidence, terms: Terms, breaches: Breaches) -> None:
    """The engine's one life ends by one SIGTERM, after out is proven and settled, and quiet."""
    told = [what for _, what, _ in seen.lives]
    breaches.unless(told == ["stop", "end"], f"the engine's lives: {', '.join(told) or 'nothing'}")
    pids = {pid for _, pid in seen.engine if pid}
    breaches.unless(len(pids) == 1, f"the engine's pids {_order(seen.engine)}")
    out = [at for at, member in seen.writes if not member]
    stops = [at for at, what, _ in seen.lives if what == "stop"]
    breaches.unless(bool(out), "the pool was never disabled")
    if not (out and stops):
        return
    stop, settled = stops[0], stops[0] - out[0]
    breaches.unless(settled >= terms.settle - CLOCKS, f"stopped {settled:.2f} s after it was disabled")
    said = [at for at, code in seen.ready if code == 503]
    breaches.unless(bool(said) and said[0] <= stop, "stopped before the ready URL said 503")
    since = stop - (terms.quiet - LOOKS)
    late = [f"{ended - stop:+.2f} s" for begun, ended in seen.answered if begun < stop and ended > since]
    breaches.unless(not late, f"stopped although not quiet: requests ended at {', '.join(late)}")


def _went_on(seen: Evidence, breaches: Breaches) -> None:
    """No agent after the kill goes back: not inward, not from out to draining, not to a new leaving."""
    left = min((at for at, code in seen.ready if code == 503), default=seen.began)
    begun = [phase for at, phase in seen.phases if at > left or phase in OUTWARD]
    went = [seen.found, *begun] if seen.found in OUTWARD else begun
    on = bool(begun) and set(went) <= set(OUTWARD) and went == sorted(went, key=OUTWARD.index)
    breaches.unless(on, f"phases {seen.found} at the kill, then {_order(seen.phases)}")
    before, after = seen.left_at
    breaches.unless(seen.found not in OUTWARD or before == after, f"left anew at {after}, before at {before}")


def of_engine_kill(seen: Evidence, terms: Terms) -> list[str]:
    """A drain because the engine was killed, until the host serves with a new one."""
    breaches = Breaches()
    _common(seen, terms, breaches)
    words = [member for _, member in seen.writes]
    breaches.unless(bool(words) and words == sorted(words) and words[-1], f"writes {words}")
    breaches.unless([code for _, code in seen.ready] == [200, 503, 200], f"ready URL {_order(seen.ready)}")
    told = [what for _, what, _ in seen.lives]
    breaches.unless(told == ["start"], f"the engine's lives: {', '.join(told) or 'nothing'}")
    inward = [at for at, member in seen.writes if member]
    inward += [at for at, code in seen.ready if code == 200 and at > seen.began]
    inward += [at for at, phase in seen.phases if phase == "joining"]
    proven = bool(seen.lives) and all(at > seen.lives[0][0] for at in inward)
    breaches.unless(proven, "came in before there was an engine")
    away = [at for at, routed in seen.routed if not routed]
    breaches.unless(bool(away), "the edge never left it")
    late = [(at, cause) for at, cause in seen.failed if away and at > away[0] + terms.cache]
    breaches.unless(not late, f"failed although out: {_times(seen, tuple(late))}")
    return breaches.found


def _order(seen: Sequence[tuple[float, object]]) -> str:
    return " → ".join(str(what) for _, what in seen)


def _times(seen: Evidence, entries: tuple[tuple[float, str], ...]) -> str:
    return ", ".join(f"{cause} at {at - seen.began:.2f} s" for at, cause in entries)
