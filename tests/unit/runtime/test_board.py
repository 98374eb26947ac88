"""The board: old readings are unknown, a failed look at the pool undoes nothing, lives are not mixed up."""

from inferagent.model.check import CheckResult, CheckView
from inferagent.model.engine import EngineLook, Occupant
from inferagent.model.health import Health
from inferagent.model.membership import Endpoint, MembershipView
from inferagent.model.reading import Failed, Value, known
from inferagent.model.tunnel import ConnectorLook
from inferagent.model.unit import Unit, UnitState
from inferagent.runtime.board import Board

VIEW = MembershipView(Endpoint("here", True, True), ())


def board() -> Board:
    return Board(lambda: None)


def test_every_write_wakes() -> None:
    woken: list[bool] = []
    Board(lambda: woken.append(True)).put("host")(Failed("cannot read", 1.0))
    assert woken == [True]


def test_each_field_of_a_look_ages_by_itself() -> None:
    slots = board()
    look = EngineLook(accepts=Value(True, 100.0), models=Value(frozenset({"chat"}), 80.0))
    slots.put("engine")(Value(look, 100.0))
    seen = slots.snapshot(109.0, "b", ()).engine
    assert known(seen.accepts) is True
    assert known(seen.models) == {"chat"}
    seen = slots.snapshot(111.0, "b", ()).engine
    assert isinstance(seen.accepts, Failed)


def test_of_a_failed_look_nothing_is_known() -> None:
    slots = board()
    slots.put("engine")(Failed("cannot look", 5.0))
    slots.put("connector")(Failed("cannot look", 5.0))
    seen = slots.snapshot(6.0, "b", ())
    assert seen.engine.accepts == Failed("cannot look", 5.0)
    assert seen.connector.ready == Failed("cannot look", 5.0)


def test_a_look_at_an_earlier_life_says_nothing_of_this_one() -> None:
    slots = board()
    slots.put("engine")(Value(EngineLook(accepts=Value(True, 10.0)), 10.0))
    slots.put("engine_unit")(Value(Unit(UnitState.RUNNING, "2:2", 2, since=11.0), 11.0))
    assert known(slots.snapshot(12.0, "b", ()).engine.accepts) is None
    slots.put("engine")(Value(EngineLook(accepts=Value(False, 12.0)), 12.0))
    assert known(slots.snapshot(12.5, "b", ()).engine.accepts) is False


def test_a_failed_look_at_the_pool_does_not_undo_a_fresh_one() -> None:
    slots = board()
    slots.put("membership")(Value(VIEW, 10.0))
    slots.put("membership")(Failed("cannot reach the API", 20.0))
    assert slots.snapshot(25.0, "b", ()).membership == Value(VIEW, 10.0)
    assert slots.snapshot(45.0, "b", ()).membership == Failed("cannot reach the API", 20.0)
    assert slots.last_membership == Value(VIEW, 10.0)


def test_the_connector_ages_too() -> None:
    slots = board()
    slots.put("connector")(Value(ConnectorLook(ready=Value(4, 1.0)), 1.0))
    assert known(slots.snapshot(5.0, "b", ()).connector.ready) == 4
    assert known(slots.snapshot(50.0, "b", ()).connector.ready) is None


def test_the_agents_own_troubles_are_seen_until_they_are_over() -> None:
    slots = board()
    slots.troubles["no-ready-program"] = "cannot listen on port 8790"
    assert slots.snapshot(1.0, "b", ()).troubles == (("no-ready-program", "cannot listen on port 8790"),)
    slots.troubles["no-ready-program"] = ""
    assert slots.snapshot(2.0, "b", ()).troubles == ()


def test_a_check_keeps_its_last_word_and_its_reading_ages() -> None:
    slots = board()
    ill = Value(CheckResult(Health.UNHEALTHY, "3 % free"), 100.0)
    slots.put_check("disk", 150.0)(ill)
    assert slots.snapshot(250.0, "b", ()).checks == (("disk", CheckView(ill, ill)),)
    ((_, view),) = slots.snapshot(251.0, "b", ()).checks
    assert isinstance(view.reading, Failed)
    assert view.last == ill
    failed = Failed("cannot read the check disk", 260.0)
    slots.put_check("disk", 150.0)(failed)
    assert slots.snapshot(261.0, "b", ()).checks == (("disk", CheckView(failed, ill)),)
    assert board().snapshot(1.0, "b", ()).checks == ()


def test_the_board_notes_when_the_pool_turned_and_counts_failed_looks() -> None:
    board = Board(lambda: None)
    put = board.put("membership")
    for at, enabled in ((1.0, True), (2.0, True), (3.0, False), (4.0, False)):
        put(Value(MembershipView(Endpoint("own", enabled, True), ()), at))
    assert board.turned_at == 3.0
    put(Failed("cannot", 5.0))
    put(Value(MembershipView(Endpoint("own", True, True), ()), 6.0))
    assert (board.turned_at, board.failures["membership"]) == (6.0, 1)


def test_who_has_the_engines_port_is_known_for_a_while_though_a_look_fails() -> None:
    slots, foreign = board(), Value(Occupant(8000, 0), 10.0)
    slots.put_occupant(Failed("processes came or went", 9.0))
    slots.put_occupant(foreign)
    slots.put_occupant(Failed("processes came or went", 12.0))
    assert slots.snapshot(20.0, "b", ()).occupant == foreign
    assert isinstance(slots.snapshot(26.0, "b", ()).occupant, Failed)
    slots.put_occupant(Value(None, 21.0))
    assert slots.snapshot(22.0, "b", ()).occupant == Value(None, 21.0)
