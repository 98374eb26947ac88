"""A changed copy: as `dataclasses.replace`, and the value itself where nothing changes."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from inferagent.model.change import changed
from inferagent.model.engine import Progress
from inferagent.model.saved import Memory, Saved, Write


def test_nothing_changed_is_the_value_itself() -> None:
    saved = Saved(last_write=Write(True, 1.0))
    assert changed(saved, last_write=Write(True, 1.0), joins=()) is saved
    assert changed(saved) is saved


def test_a_copy_is_what_replace_makes() -> None:
    memory = Memory(incarnation="e1", moved_at=3.0)
    assert changed(memory, moved_at=None, accepted=True) == replace(memory, moved_at=None, accepted=True)
    assert (memory.moved_at, memory.accepted) == (3.0, False)
    assert changed(Progress(()), signature=(("a", 1.0),)) == Progress((("a", 1.0),))


def test_a_copy_is_as_frozen_as_its_original() -> None:
    copy = changed(Memory(), moved_at=1.0)
    with pytest.raises(FrozenInstanceError):
        copy.moved_at = 2.0  # type: ignore[misc]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot change nothing_such: Memory has no such field"):
        changed(Memory(), moved_at=1.0, nothing_such=1)  # type: ignore[call-arg]


def test_fields_that_are_worked_out_are_copied_too() -> None:
    @dataclass(frozen=True, slots=True)
    class Sum:
        left: int
        note: str = ""

        def __post_init__(self) -> None:
            object.__setattr__(self, "note", f"{self.left} worked out")

    assert changed(Sum(1), left=2).note == "1 worked out"
