"""Observe mode: nothing is done, all is judged, and what would have been done is what mode act does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.laws import Tick
from tests.property.test_stories import DEEDS, SHAPES, STEPS
from tests.property.world import World
from tests.support.agent import Agent
from tests.support.virtual import run

from inferagent.cli.would import summary
from inferagent.model.action import Restart
from inferagent.model.desired import EngineKind, Mode, Terms
from inferagent.model.event import DRAIN, Event, EventKind
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import Value
from inferagent.model.unit import Part
from inferagent.runtime.control import Answer, DrainRequest
from inferagent.runtime.recorder import Recorder


@dataclass
class Paper:
    """Takes events as the event file does."""

    events: list[Event] = field(default_factory=list)

    def append(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def unfinished(self) -> tuple[Event, ...]:
        return ()


class Still:
    """The Clock port for what reads only the wall."""

    def now(self) -> float:
        return 0.0

    def boot(self) -> str:
        return "boot-1"

    def wall(self) -> str:
        return "2026-11-22T12:00:00+00:00"

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


def recorded(world: World) -> list[Event]:
    """The events of the whole story."""
    paper = Paper()
    recorder = Recorder(paper, Still())
    for tick in world.ticks:
        recorder.tick(tick.observed, tick.desired, tick.decision)
    return paper.events


def in_service(mode: Mode, terms: Terms) -> World:
    """A host that served before any agent came."""
    world = World(terms, mode=mode)
    world.agent = False
    world.connector.start(world.now)
    world.engine.start(world.now)
    world.pool.set(True)
    world.pool.verdict = True
    world.run(40.0, step=1.0)
    world.agent = True
    return world.run(30.0, step=1.0)


def drains(world: World) -> list[str]:
    """The causes for which an acting host left."""
    return [
        tick.decision.saved.cause.code
        for tick in world.ticks
        if tick.arrow is not None and tick.arrow[1] is Phase.DRAINING and tick.decision.saved.cause
    ]


def imagined(world: World) -> list[str]:
    """The causes for which an observing host would have."""
    found = (e for e in recorded(world) if e.episode and e.episode.deed == DRAIN and e.episode.seconds == 0)
    return [event.cause for event in found if event.episode and event.episode.open]


Deed = Callable[[World], None]


def lasting(begin: Deed, seconds: float, end: Deed) -> Deed:
    def deed(world: World) -> None:
        begin(world)
        world.run(seconds, step=1.0)
        end(world)

    return deed


def hanging(seconds: float) -> Deed:
    return lambda world: setattr(world.engine, "hung_until", world.now + seconds)


def nothing(_world: World) -> None:
    return


FAULTS: dict[str, Deed] = {
    "engine killed": DEEDS["engine killed"],
    "connector killed": DEEDS["connector killed"],
    "stall": hanging(50.0),
    "hang": hanging(200.0),
    "port refuses": lasting(DEEDS["engine refuses"], 40.0, lambda w: setattr(w.engine, "refuses", False)),
    "model gone": lasting(DEEDS["model gone"], 60.0, DEEDS["model back"]),
    "line cut": lasting(DEEDS["line cut"], 100.0, DEEDS["line back"]),
}
NOISE: dict[str, Deed] = {
    "short stall": hanging(6.0),
    "blind": lasting(DEEDS["blind"], 20.0, DEEDS["seeing"]),
    "counters": lasting(DEEDS["counters gone"], 40.0, DEEDS["counters back"]),
    "API": lasting(DEEDS["API lost"], 60.0, DEEDS["API back"]),
    "disk": lasting(DEEDS["disk full"], 20.0, DEEDS["disk free"]),
    "line": lasting(DEEDS["line cut"], 8.0, DEEDS["line back"]),
    "LAN": lasting(DEEDS["LAN request"], 30.0, DEEDS["no LAN request"]),
    "units": lasting(DEEDS["units unreadable"], 20.0, DEEDS["units readable"]),
    "peers": lasting(DEEDS["peer dies"], 20.0, DEEDS["peer lives"]),
}


def few_faults(story: list[str]) -> bool:
    return sum(name in FAULTS for name in story) <= 3


CALM = 450.0  # seconds: longer than the hold-off after the third fault


def live(mode: Mode, terms: Terms, story: Sequence[str]) -> World:
    world = in_service(mode, terms)
    for name in story:
        (FAULTS | NOISE)[name](world)
        world.run(60.0, step=1.0)
        world.run(CALM if name in FAULTS else 0.0, step=3.0)
    return world


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(EngineKind),
    st.sampled_from([MembershipKind.OWN_POOL, MembershipKind.PULL]),
    st.booleans(),
    st.lists(st.sampled_from([*FAULTS, *NOISE]), min_size=2, max_size=6).filter(few_faults),
)
def test_what_would_have_been_done_is_what_mode_act_does(
    kind: EngineKind, membership: MembershipKind, alone: bool, story: list[str]
) -> None:
    """The same faults, hidden in the same noise: each drain of the one host is an episode of the other."""
    terms = Terms(engine=kind, membership=membership, alone=alone, made_by_setup=True, monitor_bound=60.0)
    acting, observing = live(Mode.ACT, terms, story), live(Mode.OBSERVE, terms, story)
    assert imagined(observing) == drains(acting)


@pytest.mark.parametrize("kind", EngineKind)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_that_mode_act_leaves_for_is_counted_once(kind: EngineKind, fault: str) -> None:
    terms = Terms(engine=kind, made_by_setup=True)
    acting, observing = live(Mode.ACT, terms, [fault]), live(Mode.OBSERVE, terms, [fault])
    assert imagined(observing) == drains(acting)
    assert len(drains(acting)) == 1
    said = summary(recorded(observing))
    assert said[0].startswith("would have drained 1× in ")
    assert f"({drains(acting)[0]})" in said[0]


@pytest.mark.parametrize("noise", NOISE)
def test_noise_would_have_moved_nobody(noise: str) -> None:
    observing = live(Mode.OBSERVE, Terms(made_by_setup=True), [noise])
    (said,) = summary(recorded(observing))
    assert said.startswith("would have done nothing in ")


def test_a_hang_would_have_been_repaired_and_a_stall_would_not() -> None:
    terms = Terms(made_by_setup=True)

    def repairs(story: str) -> list[str]:
        notes = [event.episode for event in recorded(live(Mode.OBSERVE, terms, [story])) if event.episode]
        return [note.deed for note in notes if not note.open and note.deed != DRAIN]

    assert repairs("hang") == ["restart engine"]
    assert repairs("stall") == []
    assert live(Mode.ACT, terms, ["hang"]).actions(Restart, Part.ENGINE)
    assert not live(Mode.ACT, terms, ["stall"]).actions(Restart, Part.ENGINE)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(SHAPES, STEPS, st.booleans())
def test_an_observing_agent_does_nothing_whatever_happens(
    terms: Terms, steps: list[tuple[str, float]], served: bool
) -> None:
    """The laws of the world hold at each tick: no action. The phase is what is read; so is the verdict."""
    world = in_service(Mode.OBSERVE, terms) if served else World(terms, mode=Mode.OBSERVE)
    for name, seconds in steps:
        DEEDS[name](world)
        world.run(seconds, step=1.0)
    assert world.pool.writes_seen == []
    assert not world.lost
    assert not world.unjust
    assert not [tick for tick in world.ticks if tick.decision.actions]
    for tick in world.ticks:
        check_mirror(tick)
    assert all(event.kind is not EventKind.ACTION for event in recorded(world))


def check_mirror(tick: Tick) -> None:
    pool, accepts = tick.observed.membership, tick.observed.engine.accepts
    if isinstance(pool, Value) and tick.now - pool.at <= tick.desired.terms.fresh:
        assert (tick.decision.phase is Phase.SERVING) == pool.value.own.effective
    if isinstance(accepts, Value):
        assert tick.decision.verdict == accepts.value


def test_an_unknown_port_keeps_the_answer_that_was_seen() -> None:
    world = in_service(Mode.OBSERVE, Terms(made_by_setup=True))
    assert world.pool.verdict
    world.engine.blind = True
    world.run(120.0, step=1.0)
    assert world.pool.verdict


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(EngineKind),
    st.sampled_from([MembershipKind.OWN_POOL, MembershipKind.PULL]),
    st.booleans(),
    st.lists(st.sampled_from([*FAULTS, *NOISE]), max_size=2).filter(few_faults),
)
def test_the_switch_to_act_is_an_adoption(
    kind: EngineKind, membership: MembershipKind, alone: bool, story: list[str]
) -> None:
    """A host that serves stays in, and nothing is written before a generation has come back, nor after."""
    terms = Terms(engine=kind, membership=membership, alone=alone, monitor_bound=60.0)
    world = live(Mode.OBSERVE, terms, story)
    assert world.phase is Phase.SERVING
    world.desired = replace(world.desired, mode=Mode.ACT)
    world.kill_agent(2.0)
    begun = world.now
    world.until(lambda w: w.phase is Phase.SERVING, 60.0)
    world.run(60.0, step=1.0)
    assert world.pool.writes_seen == []
    assert world.phase is Phase.SERVING
    assert not [tick for tick in world.ticks if tick.now >= begun and tick.decision.actions]
    proven = world.saved.memory.generation_ok_at
    assert proven is not None
    assert proven >= begun


def test_a_drain_is_refused_and_says_why() -> None:
    async def asked() -> Answer:
        agent = Agent()
        agent.loop.desired = replace(agent.loop.desired, mode=Mode.OBSERVE)
        async with agent.running(20.0):
            answer = agent.loop.drain(DrainRequest(last=True))
            assert (agent.state.hold, agent.status.hold) == (None, "")
        return answer

    answer = run(asked())
    assert (answer.ok, answer.message) == (False, 'cannot drain: the mode is "observe"')
    assert 'mode = "act"' in answer.cure


def test_units_that_cannot_be_read_would_have_moved_nobody() -> None:
    world = in_service(Mode.OBSERVE, Terms(made_by_setup=True))
    lasting(DEEDS["units unreadable"], 20.0, DEEDS["units readable"])(world)
    world.run(60.0, step=1.0)
    assert imagined(world) == []


def test_a_port_that_was_seen_refusing_is_not_answered_for_when_it_cannot_be_seen() -> None:
    world = in_service(Mode.OBSERVE, Terms(made_by_setup=True))
    world.engine.refuses = True
    world.run(20.0, step=1.0)
    assert not world.pool.verdict
    world.engine.blind = True
    world.run(60.0, step=1.0)
    assert not world.pool.verdict


def test_a_host_that_was_read_as_out_is_not_said_to_serve_when_the_pool_cannot_be_read() -> None:
    world = in_service(Mode.OBSERVE, Terms(made_by_setup=True))
    world.pool.set(False)
    world.run(60.0, step=1.0)
    assert world.phase is Phase.OUT
    world.pool.readable = False
    world.run(120.0, step=1.0)
    assert world.phase is Phase.OUT
