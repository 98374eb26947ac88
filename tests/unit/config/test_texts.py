"""Lists of texts, and numbers."""

import pytest

from inferagent.config.texts import Number, Texts

PAIR, ANY = Texts(r"[a-z]+", "words", 2), Texts(r"[a-z]+", "words")


def test_texts():
    assert ANY.parse([]) == ()
    assert PAIR.parse(["a", "b"]) == ("a", "b")


@pytest.mark.parametrize("value", ["a", ["a"], ["a", "B"], ["a", 1], ["a", "b", "c"], None])
def test_what_is_no_pair_of_words(value):
    with pytest.raises(ValueError, match="must be a list of 2 of words"):
        PAIR.parse(value)


def test_numbers():
    assert Number(1, 5).parse(3) == 3.0
    assert Number(1, 5).parse(1.5) == 1.5
    for value in (0.9, 6, True, "3", None):
        with pytest.raises(ValueError, match="must be a number between 1 and 5"):
            Number(1, 5).parse(value)
