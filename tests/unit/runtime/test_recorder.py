"""The recorder: what the loop lives through, as events with their cause and evidence; floods are counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.support.agent import Agent
from tests.support.build import NOW, desired, observed, saved, val, view
from tests.support.virtual import VirtualClock, run

from inferagent import __version__
from inferagent.model.desired import Mode
from inferagent.model.event import Episode, Event, EventKind, Evidence
from inferagent.model.phase import Phase
from inferagent.model.unit import Unit, UnitState
from inferagent.policy.decide import decide
from inferagent.runtime.desk import DrainRequest, LendRequest
from inferagent.runtime.grounds import grounds
from inferagent.runtime.recorder import MOST, PERIOD, Recorder


@dataclass
class Paper:
    """Takes events as the event file does; `left`: what an earlier agent left open."""

    events: list[Event] = field(default_factory=list)
    left: tuple[Event, ...] = ()

    def append(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    def unfinished(self) -> tuple[Event, ...]:
        return self.left

    def said(self, *kinds: EventKind) -> list[str]:
        return [event.text for event in self.events if event.kind in kinds]


def recording(paper: Paper, mode: Mode = Mode.ACT, **more: object) -> Agent:
    agent = Agent(**more)  # type: ignore[arg-type]
    agent.loop.record = Recorder(paper, agent.clock).tick
    agent.loop.desired = replace(agent.loop.desired, mode=mode)
    return agent


def test_a_lending_after_a_drain_is_an_event_of_its_own() -> None:
    paper = Paper()

    async def whole() -> None:
        agent = recording(paper)
        async with agent.running(40.0):
            agent.loop.drain(DrainRequest(reason="backup"))
            await asyncio.sleep(20.0)
            agent.loop.lend(LendRequest(1200.0, "games"))
            await asyncio.sleep(20.0)

    run(whole())
    assert paper.said(EventKind.HOLD, EventKind.RESUME) == [
        "held by the operator: backup",
        "replaced: lent until 12:21: games",
    ]


def test_a_life_is_told_with_causes_and_numbers() -> None:
    paper = Paper()

    async def whole() -> None:
        agent = recording(paper)
        async with agent.running(40.0):
            agent.engine.put(Unit(UnitState.RESTARTING, since=agent.clock.now(), exit="killed by signal 9"))
            await asyncio.sleep(1.0)

    run(whole())
    first, gone = paper.events[0], next(e for e in paper.events if e.cause == "engine-gone")
    assert (first.kind, first.at) == (EventKind.AGENT, 0.0)
    assert first.text.startswith(f"agent {__version__} started, mode act: out")
    assert paper.said(EventKind.PHASE)[:2] == ["joining: enabling in the pool", "serving"]
    assert [text.partition(":")[0] for text in paper.said(EventKind.ACTION)] == [
        "enable in the pool",
        "disable in the pool",
    ]
    assert (gone.wall, gone.boot, gone.phase) == ("2026-11-22T12:00:40+00:00", "boot-1", "draining")
    assert gone.why.startswith("the engine's process is gone")
    assert (gone.evidence.exit, gone.evidence.peers_effective, gone.evidence.peers) == (
        "killed by signal 9",
        1,
        1,
    )
    assert all(event.text for event in paper.events)


def test_an_hour_of_calm_is_silent() -> None:
    paper = Paper()

    async def whole() -> None:
        async with recording(paper).running(60.0):
            begun = len(paper.events)
            await asyncio.sleep(3600.0)
            assert len(paper.events) == begun

    run(whole())
    assert paper.events


def test_a_failing_write_is_told_once() -> None:
    paper = Paper()

    async def whole() -> None:
        agent = recording(paper)
        async with agent.running(40.0):
            agent.pool.lost = True
            agent.engine.put(Unit(UnitState.MISSING, since=agent.clock.now()))
            await asyncio.sleep(600.0)

    run(whole())
    assert paper.said(EventKind.FAILED) == ["push: cannot reach the API"]
    assert len(paper.said(EventKind.ACTION)) == 3  # joining, leaving, and leaving still when the phase is out


def test_in_observe_mode_an_episode_is_noted_when_it_begins_now_and_then_and_at_its_end() -> None:
    paper = Paper()

    async def whole() -> None:
        agent = recording(paper, Mode.OBSERVE)
        agent.pool.enabled = True
        async with agent.running(40.0):
            alive = agent.engine.state
            agent.engine.put(Unit(UnitState.RESTARTING, since=agent.clock.now(), exit="exit code 1"))
            await asyncio.sleep(200.0)
            agent.engine.put(alive)
            await asyncio.sleep(200.0)
            assert agent.pool.writes == []

    run(whole())
    notes = [event.episode for event in paper.events if event.episode and event.episode.deed == "drain"]
    seconds = [round(one.seconds, -1) for one in notes if one]
    assert seconds == [0, 60, 120, 200]
    assert [one.open for one in notes if one] == [True, True, True, False]
    ends = next(event for event in paper.events if event.episode == notes[-1])
    assert (ends.cause, ends.evidence) == ("engine-gone", Evidence())
    assert ends.text == "would have drained: its cause stood for 200 s"
    watched = [
        event.episode.seconds for event in paper.events if event.episode and event.episode.deed == "watch"
    ]
    assert watched[0] == 0.0
    assert [round(one, -1) for one in watched[1:4]] == [60, 120, 240]


def test_what_an_earlier_agent_left_open_goes_on() -> None:
    left = Event("T", "boot-1", -20.0, EventKind.WOULD, "x", cause="engine-gone", why="gone")
    open_ones = tuple(
        replace(left, episode=Episode(deed, -60.0, 40.0), boot=boot)
        for deed, boot in (("drain", "boot-1"), ("watch", "boot-1"), ("restart engine", "boot-0"))
    )
    paper = Paper(left=open_ones)

    async def whole() -> None:
        async with recording(paper, Mode.OBSERVE).running(100.0):
            pass

    run(whole())
    ended = [event for event in paper.events if event.episode and not event.episode.open]
    assert [(event.episode, event.cause) for event in ended] == [
        (Episode("drain", -60.0, 40.0, open=False), "engine-gone")
    ]


def test_in_mode_act_nobody_asks_what_was_left_open() -> None:
    class Sealed(Paper):
        def unfinished(self) -> tuple[Event, ...]:
            raise AssertionError("read for nothing")

    paper = Sealed()

    async def whole() -> None:
        async with recording(paper).running(5.0):
            pass

    run(whole())
    assert paper.events[0].kind is EventKind.AGENT


def test_a_flood_is_thinned_and_counted() -> None:
    """The peer comes and goes every ten seconds for two hours."""
    paper = Paper()
    recorder, other = Recorder(paper, _Wall()), view().own
    for number in range(720):
        at = NOW + 10.0 * number
        peer = replace(other, name="peer", healthy=number % 2 == 0)
        seen = observed(now=at, membership=val(view(peer), at))
        recorder.tick(seen, desired(), decide(seen, desired(), saved()))
    said = [event for event in paper.events if event.kind is EventKind.MEMBERSHIP]
    assert len(said) <= 2 * MOST + 1
    assert len(said) + sum(event.unsaid for event in said) >= 720 - MOST * 12
    assert said[MOST].unsaid == PERIOD / 10.0 - MOST


class _Wall(VirtualClock):
    def wall(self) -> str:
        return "T"


def test_evidence_is_what_was_known() -> None:
    seen = observed()
    found = grounds(seen, decide(seen, desired(), saved()))
    assert found == Evidence(
        still=0.0,
        generation="ok",
        generation_age=5.0,
        in_flight=0,
        accepts=True,
        edge=4,
        peers_effective=1,
        peers=1,
        pool_age=0.0,
    )
    assert decide(seen, desired(), saved()).phase is Phase.SERVING
