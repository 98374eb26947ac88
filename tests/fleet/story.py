"""A story of the fleet as data: drawn at random, told, judged, shrunk, and kept as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from random import Random
from typing import Any

from hypothesis import strategies as st
from tests.fleet.deeds import DEEDS, SEQUENCES
from tests.fleet.epilogue import heal
from tests.fleet.fleet import Fleet, Shape, play
from tests.fleet.law import Law
from tests.fleet.laws import all_laws, broken

from inferagent.model.desired import EngineKind, Terms
from inferagent.model.membership import MembershipKind
from inferagent.policy.rules import RULES, Rule

OPENING, ENDING, LONG_ENDING, SLICE = 8.0, 25.0, 2400.0, 4.0
Laws = list[Law]
LAGS = (0.0, 2.0, 6.0, 10.0, 15.0)
WAITS = (0.0, 0.4, 1.0, 3.0, 8.0, 20.0, 45.0)


@dataclass(frozen=True, slots=True)
class Step:
    """`deed` befalls host number `host` (modulo the number of hosts), then `wait` seconds pass."""

    deed: str
    host: int
    wait: float


@dataclass(frozen=True, slots=True)
class Story:
    """`heals`: at the end all that is foreign to the agents is well again, and every host must serve.

    `ending`: seconds after the last step, a few of them long, so that what takes its time is seen.
    """

    engines: tuple[str, ...]
    membership: str
    lags: tuple[float, ...]
    interval: float
    consecutive: int
    steering: str
    rate: float
    alone: bool
    stop_when_parked: bool
    seed: int
    steps: tuple[Step, ...]
    heals: bool = False
    panic: bool = False
    ending: float = ENDING

    def shape(self) -> Shape:
        terms = Terms(
            made_by_setup=True,
            monitor_bound=self.interval * (self.consecutive + 1) + 30.0,
            stop_when_parked=self.stop_when_parked,
        )
        return Shape(
            engines=tuple(EngineKind(kind) for kind in self.engines),
            membership=MembershipKind(self.membership),
            lags=self.lags,
            interval=self.interval,
            consecutive=self.consecutive,
            steering=self.steering,
            rate=self.rate,
            alone=self.alone and len(self.engines) == 1,
            panic=self.panic,
            terms=terms,
            seed=self.seed,
        )

    def text(self) -> str:
        return json.dumps(asdict(self), indent=1)


def read(text: str) -> Story:
    """A kept story."""
    found: dict[str, Any] = json.loads(text)
    steps = tuple(Step(**step) for step in found.pop("steps"))
    tuples = {key: tuple(value) for key, value in found.items() if isinstance(value, list)}
    return Story(**{**found, **tuples, "steps": steps})


def draw(random: Random, most: int = 7) -> Story:
    """Any story as likely as another, so that shares of many can be relied on."""
    kinds = [kind.value for kind in EngineKind]
    memberships = [MembershipKind.OWN_POOL] * 6 + [MembershipKind.PULL, MembershipKind.REPLICA]
    return Story(
        engines=tuple(random.choice(kinds) for _ in range(random.randint(1, 4))),
        membership=random.choice(memberships).value,
        lags=tuple(random.choice(LAGS) for _ in range(random.randint(1, 3))),
        interval=random.choice([10.0, 15.0, 60.0]),
        consecutive=random.randint(1, 2),
        steering=random.choice(["off", "random"]),
        rate=random.choice([0.2, 1.0, 3.0]),
        alone=random.random() < 0.5,
        stop_when_parked=random.random() < 0.5,
        seed=random.randrange(1000),
        steps=tuple(step for _ in range(random.randint(2, most)) for step in _steps(random)),
        heals=random.random() < 0.1,
        panic=random.random() < 0.2,
        ending=LONG_ENDING if random.random() < 0.02 else ENDING,
    )


def _steps(random: Random) -> list[Step]:
    """One deed, or a sequence of them that befalls one host."""
    name = random.choice(sorted(SEQUENCES if random.random() < 0.5 else DEEDS))
    host = random.randrange(4)
    deeds = SEQUENCES.get(name, ((name, None),))
    return [Step(deed, host, random.choice(WAITS) if wait is None else wait) for deed, wait in deeds]


def simpler(story: Story) -> st.SearchStrategy[Story]:
    """Stories that have less of everything than this one: what Hypothesis searches for the smallest."""
    number = len(story.steps)
    kept = st.lists(st.booleans(), min_size=number, max_size=number)
    return st.builds(
        lambda steps, engines, lags, rate, heals: replace(
            story,
            steps=tuple(step for step, keep in zip(story.steps, steps, strict=True) if keep),
            engines=story.engines[: max(1, engines)],
            lags=story.lags[:lags],
            rate=min(story.rate, rate),
            heals=story.heals and heals,
        ),
        kept,
        st.integers(1, len(story.engines)),
        st.integers(1, len(story.lags)),
        st.sampled_from([0.2, 1.0, 3.0]),
        st.booleans(),
    )


@dataclass
class Judged:
    """What a story came to. `met`: the laws that it gave something to forbid."""

    broken: list[str]
    met: set[str]
    told: str
    seconds: float


def tell(story: Story, rules: Sequence[Rule] = RULES, fleet_class: type[Fleet] = Fleet) -> Judged:
    """Play the story under every law; a host that never comes back breaks one too."""
    laws = all_laws()
    fleet = fleet_class(story.shape(), laws, rules)

    async def telling(fleet: Fleet) -> None:
        await _pass(fleet, OPENING, laws)
        for step in story.steps:
            DEEDS[step.deed](fleet, fleet.hosts[step.host % len(fleet.hosts)])
            await _pass(fleet, step.wait, laws)
        await _pass(fleet, story.ending, laws)
        if story.heals and not broken(laws):
            await heal(fleet)
        fleet.ended = fleet.now

    try:
        play(telling, fleet)
    except AssertionError as dead_end:
        return Judged([f"liveness at the end: {dead_end}"], set(), fleet.told(), 0.0)
    met = {law.name for law in laws if law.met}
    return Judged(broken(laws), met, fleet.told(), fleet.ended)


async def _pass(fleet: Fleet, seconds: float, laws: Laws) -> None:
    """Time goes by, until a law is broken: the rest of such a story tells nothing new."""
    end = fleet.now + seconds
    while fleet.now < end and not broken(laws):
        await fleet.run(min(SLICE, end - fleet.now))


@dataclass
class Tally:
    """Over many stories: how many met each law, and those that broke one."""

    stories: int = 0
    seconds: float = 0.0
    met: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[Story, list[str]]] = field(default_factory=list)

    def add(self, story: Story, judged: Judged) -> None:
        self.stories += 1
        self.seconds += judged.seconds
        self.met.update(judged.met)
        if judged.broken:
            self.broken.append((story, judged.broken))
