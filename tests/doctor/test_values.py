"""Values out of answers that may hold anything."""

import pytest

from inferagent.programs.doctor.values import listed, mapping, objects, text, texts, whole

ANYTHING = [None, 1, True, "x", [1, "a", {"k": 1}], {"k": [1]}, 1.5]


@pytest.mark.parametrize("value", ANYTHING)
def test_nothing_raises(value):
    assert isinstance(objects(value), tuple)
    assert isinstance(mapping(value), dict)
    assert isinstance(texts(value), tuple)
    assert isinstance(text({"k": value}, "k"), str)
    assert isinstance(whole({"k": value}, "k"), int)


def test_what_fits_is_kept():
    assert objects([1, {"k": 1}]) == ({"k": 1},)
    assert texts(["a", 1, "b"]) == ("a", "b")
    assert whole({"k": True}, "k", 7) == 7
    assert whole({"k": 3}, "k") == 3


def test_a_list_in_words():
    assert [listed(names) for names in ((), ("a",), ("a", "b"), ["a", "b", "c"])] == [
        "none",
        "a",
        "a and b",
        "a, b and c",
    ]
