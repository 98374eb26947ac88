import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferagent.config.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1.5h", 5400.0),
        ("1m30s", 90.0),
        ("1d", 86400.0),
    ],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "off", "-1s", "10 s", "10sec", "1h 2m", "1e3s", "١s5"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="cannot read"):
        parse_duration(text)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**9))
def test_what_is_written_is_read_back(milliseconds):
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "500ms"), (90, "90s"), (120, "2m"), (86400, "1d"), (0, "0s")]
)
def test_the_shortest_spelling_is_chosen(seconds, text):
    assert format_duration(seconds) == text
