"""The story on hosts that obey at once, in virtual time: its chapters, and what makes it fail."""

import io
import itertools

from rich.console import Console
from tests.support import virtual
from tests.support.demo_fakes import REACTS, FakeHost, FakeWorld

from inferagent.lab.demo.story import AGENTS_DOWN, Event, Story
from inferagent.lab.demo.watch import Watch
from inferagent.lab.traffic import Traffic

CACHE = 1.0


def told(*hosts: FakeHost) -> tuple[FakeWorld, list[Event]]:
    world = FakeWorld(*hosts)

    async def tell() -> list[Event]:
        traffic = Traffic("http://nobody", "chat", [], 1.0)
        watch = Watch(world, traffic, Console(file=io.StringIO()))
        story = Story(world, traffic, watch, CACHE)
        for host in hosts:
            watch.documents[host.name] = {"phase": "draining", "sentence": f"{host.name} leaves"}
        await story.tell()
        return story.events

    return world, virtual.run(tell())


def test_the_story_has_seven_chapters_one_after_the_other() -> None:
    gcp, home = FakeHost("gcp"), FakeHost("home")
    world, events = told(gcp, home)
    assert [event.problems for event in events] == [[]] * 7
    assert [event.forgiving for event in events] == [False, False, False, True, True, True, False]
    assert all(before.ended <= after.begun for before, after in itertools.pairwise(events))
    assert gcp.done == ["drain", "resume", "kill", "vanish", "start", "start"]
    assert home.done == ["hang", "start"]
    assert [event.said for event in events[1:3]] == ["gcp leaves", "serving"]
    faults = [(method, body) for method, path, body in world.asked if path == "/faults"]
    assert faults == [("POST", {"kind": "status", "status": 503, "token": "token-id"}), ("DELETE", None)]


def test_the_time_to_out_counts_from_the_blow_to_the_edge_and_its_cache() -> None:
    _, events = told(FakeHost("gcp"), FakeHost("home"))
    for number in (3, 4, 5):
        assert REACTS + CACHE <= (events[number].to_out or 0.0) <= REACTS + CACHE + 0.5
    assert events[0].to_out is None


def test_a_blow_that_fell_late_counts_from_then_on() -> None:
    assert Event("hang", True, begun=10.0, struck=14.0, out_at=20.0).to_out == 6.0
    assert Event("hang", True, begun=10.0, struck=0.0, out_at=20.0).to_out == 20.0


def test_a_host_that_stays_in_the_pool_fails_its_chapters_and_no_other() -> None:
    _, events = told(FakeHost("gcp"), FakeHost("home", deaf=True))
    assert [bool(event.problems) for event in events] == [False, False, False, False, True, False, False]
    assert events[4].problems == ["home out of the pool: not within 60 s"]


def test_a_refused_command_is_a_problem_of_its_chapter() -> None:
    _, events = told(FakeHost("gcp", refuses="inferagent drain ended with 1"), FakeHost("home"))
    assert "inferagent drain ended with 1" in events[1].problems
    assert events[2].problems == ["inferagent drain ended with 1"]
    assert events[4].problems == []


def test_a_membership_that_changes_when_the_agents_return_is_seen() -> None:
    _, events = told(FakeHost("gcp"), FakeHost("home", leaves_at_start=True))
    assert events[6].problems == ["the membership changed when the agents came back"]
    assert events[6].ended - events[6].begun >= AGENTS_DOWN
