import json
import math

import pytest
from tests.bench.figures import Bar, Figure, count, machine, quantile, spread, tidy, verdicts


def test_spread_is_median_p90_and_maximum():
    figure = spread("kill_to_out_s", [0.4, 0.1, 0.2, 0.3, 9.0], {"cpus": 2})
    assert (figure.value, figure.n, figure.p90, figure.most) == (0.3, 5, 9.0, 9.0)
    assert figure.unit == "s"


def test_no_samples_make_no_figure():
    with pytest.raises(ValueError, match="cannot make kill_to_out_s of no samples"):
        spread("kill_to_out_s", [], {})


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.9, 9), (0.91, 10), (1.0, 10)]
)
def test_quantile_takes_the_nearest_rank(share, expected):
    assert quantile(list(range(10, 0, -1)), share) == expected


def test_count_says_the_sum_and_what_one_round_had():
    figure = count("drain_failed", 3, [0, 2, 1], {})
    assert (figure.value, figure.n, figure.p90, figure.most, figure.unit) == (3, 3, 2, 2, "requests")


def test_count_of_no_rounds_is_still_a_figure():
    assert count("drain_failed", 0, [], {}).most == 0


def test_line_is_one_json_object_with_the_promised_keys():
    line = spread("hang_to_out_s", [1.23456, 2.0], {"cpus": 2}, {"monitor": {"median_s": 40.0}}).line()
    assert "\n" not in line
    assert json.loads(line) == {
        "figure": "hang_to_out_s",
        "value": 1.617,
        "unit": "s",
        "n": 2,
        "p90": 2.0,
        "max": 2.0,
        "conditions": {"cpus": 2},
        "beside": {"monitor": {"median_s": 40.0}},
    }


def test_line_refuses_what_is_no_json_number():
    with pytest.raises(ValueError, match="JSON"):
        spread("hang_to_out_s", [math.inf], {}).line()


def test_a_count_stays_whole_in_its_line():
    assert '"value": 2431,' in count("drain_requests", 2431, [100], {}).line()


@pytest.mark.parametrize(("value", "expected"), [(7, 7), (0.12345, 0.123), (20.0, 20.0)])
def test_tidy_keeps_milliseconds(value, expected):
    assert tidy(value) == expected


def test_machine_says_how_busy_it_is():
    found = machine()
    assert found["cpus"] >= 1
    assert len(found["load_before"]) == 3


def figure(name: str, most: float) -> Figure:
    return Figure(name, "s", most / 2, 20, most, most)


BARS = [
    Bar("hang_to_out_s", "max ≤ 20 s", lambda f: f.most <= 20),
    Bar("kill_to_out_s", "max ≤ 1 s", lambda f: f.most <= 1),
]


def test_a_bar_is_met_or_missed_and_says_the_numbers():
    (met, line), (missed, other) = verdicts(
        BARS, [figure("hang_to_out_s", 20.0), figure("kill_to_out_s", 1.5)]
    )
    assert met
    assert line == "met    hang_to_out_s: max ≤ 20 s (n 20: 10.0 s, p90 20.0, max 20.0)"
    assert not missed
    assert other.startswith("MISSED kill_to_out_s: max ≤ 1 s (n 20: 0.75 s")


def test_a_figure_that_was_not_taken_is_not_judged():
    assert [met for met, _ in verdicts(BARS, [figure("kill_to_out_s", 0.5)])] == [True]
