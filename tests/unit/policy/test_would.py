"""What would have been done: one episode an absence, the repairs with it, and nothing on what is unknown."""

from dataclasses import replace
from itertools import pairwise

from tests.support.build import NOW, PEER, cause, desired, endpoint, failed, observed, saved, val, view

from inferagent.model.decision import Decision, InFlight, Pace, Veto
from inferagent.model.desired import Desired, Mode, Terms
from inferagent.model.event import DRAIN, WATCH, Episode
from inferagent.model.health import Cause, CauseKind, Component, Repair
from inferagent.model.observed import Observed
from inferagent.model.phase import Phase
from inferagent.policy.would import CALM, NOBODY, Note, Would, calm, imagine, resumed

WISH = desired(mode=Mode.OBSERVE)
HUNG = cause(CauseKind.CERTAIN, "engine-hung", repair=Repair.RESTART_ENGINE)
ILL = replace(endpoint(), healthy=False)


class Watched:
    """An observing host, tick by tick; `notes` since the last look."""

    def __init__(self, wish: Desired = WISH) -> None:
        self.wish, self.would, self.now = wish, Would(), NOW
        self.notes: list[Note] = []

    def tick(
        self, *causes: Cause, after: float = 1.0, seen: Observed | None = None, **decided: object
    ) -> None:
        self.now += after
        fresh = replace(seen or observed(), now=self.now)
        if fresh.membership == val(view(PEER)):
            fresh = replace(fresh, membership=val(view(PEER), self.now))
        whole = Decision(
            Phase.SERVING, None, True, saved(), (), causes, (), (), Pace(), "serving", InFlight(0, 0)
        )
        decision = replace(whole, **decided)  # type: ignore[arg-type]
        self.would, notes = imagine(self.would, fresh, self.wish, decision)
        self.notes += notes

    def run(self, seconds: float, *causes: Cause, step: float = 1.0, **more: object) -> "Watched":
        for _ in range(int(seconds / step)):
            self.tick(*causes, after=step, **more)  # type: ignore[arg-type]
        return self

    def begun(self) -> list[tuple[str, str]]:
        return [(e.deed, c.code) for e, c in self.notes if e.open and not e.seconds and e.deed != WATCH]

    def ended(self) -> list[tuple[str, float]]:
        return [(e.deed, e.seconds) for e, _ in self.notes if not e.open]


def test_an_absence_is_one_episode_from_its_first_second_to_its_last() -> None:
    host = Watched().run(5).run(40, HUNG)
    assert host.begun() == [(DRAIN, "engine-hung")]
    host.run(20).run(10, HUNG).run(CALM + 70)
    assert host.begun() == [(DRAIN, "engine-hung")]
    assert host.ended() == [(DRAIN, 69.0)]
    host.run(5, HUNG)
    assert len(host.begun()) == 2


def test_another_cause_in_the_same_absence_is_no_second_drain() -> None:
    other = cause(CauseKind.CERTAIN, "engine-gone")
    assert Watched().run(2).run(9, HUNG).run(9, other).run(9, HUNG).begun() == [(DRAIN, "engine-hung")]


def test_one_hold_off_joins_what_comes_soon_after_and_grows() -> None:
    """As mode act would still have been out."""
    host = Watched().run(2).run(5, HUNG).run(70)
    assert host.ended() == [(DRAIN, 4.0)]
    host.run(5, HUNG).run(100)
    assert len(host.ended()) == 1  # two minutes now
    host.run(30)
    assert len(host.ended()) == 2
    host.run(3700, step=20.0)
    host.run(5, HUNG).run(70)
    assert len(host.ended()) == 3  # an hour of calm has reset it


def test_where_nobody_else_is_effective_there_is_no_hold_off() -> None:
    alone = Watched(replace(WISH, terms=Terms(alone=True)))
    for _ in range(3):
        alone.run(2).run(5, HUNG).run(CALM + 2)
    assert len(alone.ended()) == 3


def test_a_refusing_port_and_an_unreadable_unit_are_no_end() -> None:
    host = Watched().run(2).run(5, HUNG).run(300, verdict=False)
    assert host.ended() == []
    host.run(100, seen=observed(engine_unit=failed()))
    assert host.ended() == []
    assert host.run(CALM + 2).ended() == [(DRAIN, 404.0)]


def test_only_what_nothing_but_the_mode_stops_would_have_been_done() -> None:
    """An inferred cause waits for its turn, a soft one for a better endpoint: S2 is asked as in mode act."""
    inferred, soft = cause(CauseKind.INFERRED, "engine-hung"), cause(CauseKind.SOFT, "parked")
    host = Watched().run(2).run(60, inferred)
    assert host.begun() == []  # no wait noted in the memory: not its turn
    assert host.run(60, soft).begun() == []
    assert host.run(2, soft, HUNG).begun() == [(DRAIN, "engine-hung")]


def test_a_host_that_is_out_drains_nothing() -> None:
    out = observed(membership=val(view(PEER, own=endpoint(effective=False)), NOW + 1e6))
    assert Watched().run(20, HUNG, seen=out, phase=Phase.OUT).begun() == []


def test_a_host_that_only_the_monitor_has_left_would_still_have_drained() -> None:
    """The phase mirrors the monitor; mode act would still be serving."""
    ill = observed(membership=val(view(PEER, own=ILL), NOW + 1e6))
    host = Watched().run(2).run(20, seen=ill, phase=Phase.OUT).run(5, HUNG, seen=ill, phase=Phase.OUT)
    assert host.begun() == [(DRAIN, "engine-hung")]


def test_an_unread_pool_keeps_what_was_seen() -> None:
    blind = observed(membership=failed())
    assert Watched().run(5, HUNG, seen=blind).begun() == []
    assert Watched().run(2).run(5, HUNG, seen=blind).begun() == [(DRAIN, "engine-hung")]


def test_the_repair_of_what_still_runs_is_counted_after_a_drain_s_deadline() -> None:
    host = Watched().run(2).run(119, HUNG)
    assert host.begun() == [(DRAIN, "engine-hung")]
    host.run(3, HUNG)
    assert host.begun() == [(DRAIN, "engine-hung"), ("restart engine", "engine-hung")]
    assert Watched().run(2).run(200, cause(code="model-missing")).begun() == [(DRAIN, "model-missing")]


def test_a_repair_that_only_the_mode_stops_is_counted_at_once() -> None:
    gone = cause(CauseKind.CERTAIN, "connector-gone", component=Component.CONNECTOR)
    mode = Veto("observe", "start connector", "the mode is observe")
    host = Watched().run(2, phase=Phase.OUT).run(5, gone, vetoes=(mode,))
    assert ("start connector", "connector-gone") in host.begun()
    held = Watched().run(5, gone, vetoes=(mode, Veto("S8", "start connector", "waits")))
    assert held.begun() == [(DRAIN, "connector-gone")]
    stop = Veto("observe", "stop connector", "the mode is observe")
    join = Veto("observe", "go to joining", "the mode is observe")
    assert Watched().run(5, phase=Phase.OUT, vetoes=(stop, join)).begun() == []


def test_watching_is_noted_less_and_less_often_but_every_hour() -> None:
    host = Watched().run(10 * 3600, step=20.0)
    seconds = [episode.seconds for episode, _ in host.notes if episode.deed == WATCH]
    assert seconds[:8] == [0.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3840.0]
    gaps = [later - before for before, later in pairwise(seconds[7:])]
    assert set(gaps) == {3600.0}


def test_in_mode_act_nothing_is_imagined() -> None:
    acting = Watched(desired()).run(50, HUNG)
    assert (acting.notes, acting.would) == ([], Would())


def test_a_calm_tick_is_told_from_one_that_matters() -> None:
    host = Watched()
    serving = Decision(Phase.SERVING, None, True, saved(), (), (), (), (), Pace(), "", InFlight(0, 0))

    def says(after: float = 1.0, **decided: object) -> bool:
        seen = replace(observed(), now=host.now + after)
        return calm(host.would, seen, replace(serving, **decided))  # type: ignore[arg-type]

    assert not says()
    host.run(2)
    assert says()
    assert not says(60.0)
    assert not says(causes=(HUNG,))
    assert not says(vetoes=(Veto("observe", "x", "y"),))
    assert not says(phase=Phase.OUT)
    host.run(2, HUNG)
    assert not says()


def left_open(seconds: float, last: float, deed: str = DRAIN) -> Would:
    return resumed([(Episode(deed, last - seconds, seconds), HUNG)], NOW)


def test_after_a_restart_of_the_agent_an_open_episode_goes_on() -> None:
    host = Watched()
    host.would = left_open(40.0, NOW - 20.0)
    host.run(30).run(5, HUNG)
    assert host.begun() == []
    host.run(CALM + 2)
    assert host.ended() == [(DRAIN, 95.0)]


def test_what_is_not_seen_again_ended_when_it_was_last_known() -> None:
    host = Watched()
    host.would = left_open(40.0, NOW - 20.0)
    host.run(CALM + 5)
    assert host.ended() == [(DRAIN, 40.0)]


def test_what_was_last_known_too_long_ago_is_over() -> None:
    assert left_open(40.0, NOW - 119.0).stretches
    assert not left_open(40.0, NOW - 121.0).stretches
    assert left_open(7200.0, NOW - 3650.0).stretches
    assert not left_open(40.0, NOW + 1.0).stretches  # of another clock
    assert not left_open(40.0, NOW, WATCH).stretches
    closed = Episode(DRAIN, NOW - 40.0, 40.0, open=False)
    assert not resumed([(closed, NOBODY)], NOW).stretches
