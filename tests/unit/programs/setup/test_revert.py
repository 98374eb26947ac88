"""The three-way comparison: exact where nobody else wrote, our part alone where somebody did."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.programs.setup.revert import MISSING, revert

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_what_nobody_touched_goes_back_exactly(before: Any, after: Any) -> None:
    assert revert(after, before, after) == before
    assert revert(before, before, after) == before


@given(VALUES, VALUES)
def test_what_was_missing_goes_again(after: Any, other: Any) -> None:
    assert revert(after, MISSING, after) is MISSING


def test_a_value_that_another_wrote_stays() -> None:
    assert revert("theirs", "old", "ours") == "theirs"
    assert revert(MISSING, "old", "ours") is MISSING


LISTS = [
    (["a", "b", "c"], ["a"], ["a", "b"], ["a", "c"]),
    (["b", "c"], [], ["b"], ["c"]),
    (["c", "b"], MISSING, ["b"], ["c"]),
    (["c"], ["a"], ["a", "b"], ["c"]),
    (["c", "b"], ["a"], ["b"], ["c", "a"]),
]


@pytest.mark.parametrize(("current", "before", "after", "wanted"), LISTS)
def test_of_a_list_only_our_part_goes(current: Any, before: Any, after: Any, wanted: Any) -> None:
    assert revert(current, before, after) == wanted


def test_entries_are_known_by_address_and_by_hostname_and_path() -> None:
    ours = {"name": "gpu-a", "address": "a", "enabled": True}
    theirs = {"name": "gpu-b", "address": "b", "enabled": True}
    shown = {**ours, "weight": 1.0}
    assert revert([shown, theirs], [], [ours]) == [theirs]
    old, new = {"hostname": "h", "service": "s1"}, {"hostname": "h", "service": "s2"}
    ready = {"hostname": "h", "path": "^/r$", "service": "s3"}
    added = {"hostname": "other", "service": "s4"}
    assert revert([ready, new, added], [old], [ready, new]) == [old, added]


def test_an_entry_that_another_changed_since_stays_changed() -> None:
    old, new = {"address": "a", "weight": 1}, {"address": "a", "weight": 2}
    theirs, other = {"address": "a", "weight": 3}, {"address": "z"}
    assert revert([theirs, other], [old], [new]) == [theirs, other]


def test_tables_are_taken_key_by_key() -> None:
    before = {"default_weight": 1.0}
    after = {"default_weight": 1.0, "pool_weights": {"ours": 0.8}}
    current = {"default_weight": 0.5, "pool_weights": {"ours": 0.8, "theirs": 0.2}}
    assert revert(current, before, after) == {"default_weight": 0.5, "pool_weights": {"theirs": 0.2}}


def test_a_table_that_was_ours_alone_is_missing_again() -> None:
    assert revert({"x": {"a": 1}}, MISSING, {"x": {"a": 1}, "y": 2}) is MISSING
