"""What is read from the moments that a row saw."""

from tests.matrix.watch import Moment, departures


def test_each_turn_away_is_a_departure() -> None:
    def seen(*routed: bool) -> int:
        return departures([Moment(float(at), one) for at, one in enumerate(routed)])

    assert seen() == seen(True) == seen(False, True) == 0
    assert seen(True, False, False, True) == 1
    assert seen(True, False, True, False) == 2
