"""Readings: unknown is a value of its own, and grows out of age."""

from inferagent.model.reading import NEVER, Failed, NotAvailable, Value, aged, known


def test_a_value_past_its_age_is_unknown_and_says_so() -> None:
    reading = Value(7, at=100.0)
    assert aged(reading, 110.0, 10.0) is reading
    old = aged(reading, 111.0, 10.0)
    assert old == Failed("the last reading is 11 s old", 100.0)


def test_na_and_errors_do_not_age() -> None:
    for reading in (NotAvailable(1.0), Failed("cannot read", 1.0), NEVER):
        assert aged(reading, 1e6, 1.0) is reading


def test_only_a_value_is_known() -> None:
    assert known(Value(False, 1.0)) is False
    assert known(NotAvailable(1.0)) is None
    assert known(NEVER) is None
