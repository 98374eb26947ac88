"""Where a timeline is played: the fleet with every law watching, what users see, and bounds that are said."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.fleet.edge import Pool
from tests.fleet.engine import FOR_EVER
from tests.fleet.fleet import Fleet, Note, Shape, Story, play
from tests.fleet.host import Host, Touch
from tests.fleet.laws import all_laws, broken
from tests.property.laws import Tick

from inferagent.model.desired import EngineKind, Mode, Terms
from inferagent.model.phase import Phase
from inferagent.model.status import Status
from inferagent.model.unit import Part

Record = Callable[[str, object], None]
VLLM, OLLAMA = EngineKind.VLLM, EngineKind.OLLAMA
BOTH_KINDS = (VLLM, OLLAMA)


def scene(shape: Shape, story: Story, mode: Mode = Mode.ACT) -> Fleet:
    """The fleet after the story, which every law has watched and none was broken in."""
    watching = all_laws()
    fleet = play(story, Fleet(shape, watching, mode=mode))
    said = broken(watching)
    assert not said, "\n".join([*said, fleet.told()])
    return fleet


def terms(**changes: object) -> Terms:
    """The terms of a host that setup made, with the monitor of the simulated edge."""
    given: dict[str, object] = {"made_by_setup": True, "monitor_bound": 60.0, **changes}
    return Terms(**given)  # type: ignore[arg-type]


def bound(record: Record, name: str, took: float, within: float, unit: str = "s") -> None:
    """Assert it, and let pytest print it."""
    record("figure", f"timeline {name}: {took:.0f} {unit} within {within:.0f} {unit}")
    assert took <= within, f"{name}: {took:.1f} {unit}, not within {within:.1f}"


# what happened


def arrows(fleet: Fleet, host: Host | None = None, since: float = 0.0) -> list[str]:
    """ "serving → draining" and so on, without the sentence."""
    return [str(note.detail).split(":", 1)[0] for note in fleet.of("arrow", host, since)]


def leaves(fleet: Fleet, host: Host | None = None, since: float = 0.0) -> int:
    return sum(arrow.endswith("→ draining") for arrow in arrows(fleet, host, since))


def touches(fleet: Fleet, part: Part, host: Host | None = None, since: float = 0.0) -> list[Note]:
    """What the agents did to this part."""
    found = fleet.of("touch", host, since)
    return [note for note in found if isinstance(note.detail, Touch) and note.detail.part is part]


def engine_touches(fleet: Fleet, host: Host | None = None, since: float = 0.0) -> list[str]:
    notes = touches(fleet, Part.ENGINE, host, since)
    return [note.detail.verb for note in notes if isinstance(note.detail, Touch)]


def lost(fleet: Fleet, since: float = 0.0, until: float = FOR_EVER) -> list[str]:
    """Why each request was lost, in their order."""
    return [str(note.detail) for note in fleet.of("lost", None, since) if note.at <= until]


# what a host says of itself


def document(host: Host) -> Status:
    """Its last; of an agent that is away too."""
    assert host.life is not None
    assert host.life.documents is not None
    return host.life.documents


def sentence(host: Host) -> str:
    return document(host).sentence


def label(host: Host) -> str:
    return document(host).label


def findings(host: Host) -> set[str]:
    return {one.code for one in document(host).findings}


# what the users see


def effective(pool: Pool) -> bool:
    return pool.enabled and pool.healthy is True


def whole(fleet: Fleet, *hosts: Host) -> bool:
    """These hosts, or all, serve as they should: by their word, the edge's, and their engines'."""
    return all(
        host.phase is Phase.SERVING
        and effective(host.pool)
        and host.verdict
        and host.connector.ready
        and host.engine.would_answer()
        for host in hosts or fleet.hosts
    )


def out(*hosts: Host) -> bool:
    return all(host.phase is Phase.OUT for host in hosts)


@dataclass
class Eye:
    """Counts once a second, from outside; `attach` begins."""

    fleet: Fleet
    fewest_effective: int = 99
    seconds_none: int = 0  # no endpoint is effective at the edge's own table
    seconds_unreachable: int = 0  # a location has no pool to send to
    answered_200: dict[str, int] = field(default_factory=dict)  # seconds in which the ready URL said 200
    false_200: dict[str, int] = field(default_factory=dict)  # … though the engine would not have answered

    @classmethod
    def attach(cls, fleet: Fleet) -> "Eye":
        eye = cls(fleet)
        fleet.watchers.append(eye)
        return eye

    def begin(self, fleet: Fleet) -> None: ...

    def tick(self, host: Host, tick: Tick) -> None: ...

    def event(self, host: Host, kind: str, detail: object) -> None: ...

    def step(self) -> None:
        fleet = self.fleet
        count = sum(effective(host.pool) for host in fleet.hosts)
        self.fewest_effective = min(self.fewest_effective, count)
        self.seconds_none += not count
        routes = [fleet.route(place) for place in range(len(fleet.edge.lags))]
        self.seconds_unreachable += None in routes
        for host in fleet.hosts:
            if host.ready_answer():
                _one_more(self.answered_200, host.name)
                if not host.engine.would_answer():
                    _one_more(self.false_200, host.name)


def _one_more(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def engines(kinds: Iterable[EngineKind] | EngineKind, count: int = 2) -> tuple[EngineKind, ...]:
    return (kinds,) * count if isinstance(kinds, EngineKind) else tuple(kinds)
