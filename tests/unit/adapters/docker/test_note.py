"""What the follower leaves, and how the agent sees the unit through it."""

import pytest

from inferagent.adapters.docker.note import Note, find, forget, former_policy, leave, note_policy, told
from inferagent.config.containers import container_of, unit_for
from inferagent.model.unit import Unit, UnitState

UNIT = unit_for("vllm")


def running(**more):
    return Unit(UnitState.RUNNING, "abc:10", main_pid=10, **more)


def test_the_engines_processes_descend_from_the_container(tmp_path):
    leave("vllm", Note(10, 99), tmp_path)
    seen = told(running(), UNIT, tmp_path)
    assert (seen.main_pid, seen.incarnation) == (99, "abc:10")


def test_the_note_of_another_life_does_not_count(tmp_path):
    leave("vllm", Note(11, 99, "out of memory"), tmp_path)
    assert told(running(exit="exit code 137"), UNIT, tmp_path) == running(exit="exit code 137")


def test_a_pid_that_the_kernel_does_not_vouch_for_is_none(tmp_path):
    leave("vllm", Note(10, 0), tmp_path)
    assert told(running(), UNIT, tmp_path).main_pid == 10


def test_how_it_ended_is_told_in_dockers_words(tmp_path):
    leave("vllm", Note(ended="out of memory"), tmp_path)
    assert told(Unit(UnitState.RESTARTING, exit="exit code 137"), UNIT, tmp_path).exit == "out of memory"
    assert told(Unit(UnitState.STOPPED), UNIT, tmp_path).exit == ""


def test_other_units_are_left_alone(tmp_path):
    leave("ollama", Note(10, 99, "x"), tmp_path)
    assert told(running(exit="y"), "ollama.service", tmp_path) == running(exit="y")


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"main": "x", "pid": 1, "ended": ""}'])
def test_what_is_no_note_says_nothing(tmp_path, text):
    (tmp_path / "vllm.json").write_text(text)
    assert find("vllm", tmp_path) == Note()
    (tmp_path / "vllm.policy").write_text(text)
    assert former_policy("vllm", "abc", tmp_path) is None


def test_the_policy_that_was_belongs_to_one_container(tmp_path):
    note_policy("vllm", "abc", "on-failure", 3, tmp_path)
    assert former_policy("vllm", "abc", tmp_path) == ("on-failure", 3)
    assert former_policy("vllm", "def", tmp_path) is None
    forget("vllm", tmp_path)
    forget("vllm", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_units_are_named_after_their_containers():
    assert container_of(unit_for("my-vllm_1.2")) == "my-vllm_1.2"
    assert container_of("vllm.service") == ""
