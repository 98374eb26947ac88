"""Counting bad readings, and dating what stands."""

from tests.support.build import cause

from inferagent.model.health import CauseKind
from inferagent.model.saved import Memory
from inferagent.model.unit import Unit, UnitState
from inferagent.policy.debounce import absent, dated, fall, lasting


def test_two_bad_readings_fall_and_one_good_one_rises():
    memory, fallen = fall(Memory(), "x", True, 1.0, 2)
    assert not fallen
    memory, fallen = fall(memory, "x", True, 2.0, 2)
    assert fallen
    memory, fallen = fall(memory, "x", False, 3.0, 2)
    assert not fallen
    assert memory.falls == ()


def test_the_same_reading_seen_twice_counts_once():
    memory, _ = fall(Memory(), "x", True, 1.0, 2)
    assert not fall(memory, "x", True, 1.0, 2)[1]


def test_an_unknown_reading_neither_counts_nor_takes_back():
    memory, _ = fall(Memory(), "x", True, 1.0, 2)
    memory, _ = fall(memory, "x", True, 2.0, 2)
    assert fall(memory, "x", None, 3.0, 2) == (memory, True)


def test_what_stands_by_one_word_stands_on_where_two_are_needed():
    memory, stood = fall(Memory(), "x", True, 1.0, 1)
    assert stood
    assert not fall(memory, "x", True, 1.0, 2)[1]
    memory = lasting(memory, "x", 2)
    assert lasting(memory, "x", 2) is memory
    assert fall(memory, "x", True, 1.0, 2)[1]
    assert not fall(memory, "x", False, 2.0, 2)[1], "a good one ends it as ever"


def test_codes_are_counted_apart():
    memory, _ = fall(Memory(), "x", True, 1.0, 2)
    assert not fall(memory, "y", True, 2.0, 2)[1]


def test_a_cause_keeps_its_date_while_it_stands_and_gets_a_new_one_after_a_break():
    memory, causes, _ = dated(Memory(), 5.0, [cause()], [])
    memory, causes, _ = dated(memory, 9.0, [cause()], [])
    assert causes[0].since == 5.0
    memory, _, _ = dated(memory, 10.0, [], [])
    _, causes, _ = dated(memory, 11.0, [cause()], [])
    assert causes[0].since == 11.0


def test_the_worst_cause_comes_first():
    soft, certain = cause(CauseKind.SOFT, "parked"), cause(CauseKind.CERTAIN)
    _, causes, _ = dated(Memory(), 5.0, [soft, certain], [])
    assert [one.code for one in causes] == [certain.code, soft.code]


def test_a_program_that_is_not_there_is_named_with_its_cure() -> None:
    text, cure = absent("engine", Unit(UnitState.MISSING, exit="there is no program ollama"), "ollama")
    assert text == "the engine cannot be started: there is no program ollama"
    assert cure == "sudo inferagent install ollama, or give its path: command in [engine]"
    text, cure = absent("engine", Unit(UnitState.MISSING), "ollama")
    assert (text, cure) == ("the engine's unit does not exist", "sudo inferagent setup")


def test_a_missing_unit_of_systemd_is_not_cured_by_a_path():
    gone = Unit(UnitState.MISSING, exit="there is no unit x.service")
    text, cure = absent("engine", gone, "ollama", "x.service")
    assert text == "the engine cannot be started: there is no unit x.service"
    assert cure == "sudo inferagent setup, or systemctl status x.service"
