"""The text format of Prometheus."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.runtime.exposition import Family, counter, exposition, gauge, state_set


def test_families_as_they_are_written():
    text = exposition(
        [
            gauge("held", "1 while a hold stands.", True),
            gauge("pool_age_seconds", "Age.", 3.25, pool="p"),
            gauge("unknown", "Nothing to say.", None),
            state_set("phase", "The phase.", ["out", "in"], "in"),
            counter("joins_total", "Joins.", "", {"": 3}),
            counter("writes_total", "Writes.", "to", {"in": 1, "out": 0}),
            Family("none", "gauge", "None.", ()),
        ]
    )
    assert text == (
        "# HELP inferagent_held 1 while a hold stands.\n"
        "# TYPE inferagent_held gauge\n"
        "inferagent_held 1\n"
        "# HELP inferagent_pool_age_seconds Age.\n"
        "# TYPE inferagent_pool_age_seconds gauge\n"
        'inferagent_pool_age_seconds{pool="p"} 3.25\n'
        "# HELP inferagent_phase The phase.\n"
        "# TYPE inferagent_phase gauge\n"
        'inferagent_phase{phase="out"} 0\n'
        'inferagent_phase{phase="in"} 1\n'
        "# HELP inferagent_joins_total Joins.\n"
        "# TYPE inferagent_joins_total counter\n"
        "inferagent_joins_total 3\n"
        "# HELP inferagent_writes_total Writes.\n"
        "# TYPE inferagent_writes_total counter\n"
        'inferagent_writes_total{to="in"} 1\n'
        'inferagent_writes_total{to="out"} 0\n'
    )


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_left_out(value):
    assert exposition([gauge("x", "X.", value)]) == ""


@given(st.text(max_size=20))
def test_any_label_is_read_back_as_it_was(text):
    """By the three escapes that the format has; nothing that a label holds ends its line."""
    written = exposition([gauge("x", "X.", 1, name=text)])
    assert written.count("\n") == 3
    (quoted,) = re.findall(r'\{name="((?:[^"\\]|\\.)*)"\} 1\n\Z', written, re.DOTALL)
    assert re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), quoted) == text
