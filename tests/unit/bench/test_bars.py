import pytest
from tests.bench.bars import QUICK, WHOLE, bars
from tests.bench.figures import count, spread, verdicts

CONTROL = {"settle_and_quiet_skipped": {"failed": 4, "requests": 387}}


def met(*figures, quick=False):
    return [holds for holds, _ in verdicts(bars(quick), figures)]


def drains(failed, requests, beside=None):
    return (
        count("drain_failed", failed, [failed], {}, CONTROL if beside is None else beside),
        count("drain_requests", requests, [requests], {}),
    )


def test_drains_without_a_failure_and_with_a_control_that_fails_meet_their_bars():
    assert met(*drains(0, WHOLE)) == [True, True, True]


def test_one_failed_request_is_one_too_many():
    assert met(*drains(1, WHOLE)) == [False, True, True]


def test_a_control_without_failures_proves_nothing():
    assert met(*drains(0, WHOLE, {"settle_and_quiet_skipped": {"failed": 0}})) == [True, False, True]


def test_a_quick_run_needs_fewer_requests():
    assert met(*drains(0, QUICK)) == [True, True, False]
    assert met(*drains(0, QUICK), quick=True) == [True, True, True]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([0.3] * 10, [True, True]),
        ([0.31] * 10, [False, True]),
        ([0.2] * 9 + [7.0], [True, True]),
        ([0.2] * 8 + [1.1] * 2, [True, False]),
    ],
)
def test_kills_are_judged_by_median_and_p90(samples, expected):
    assert met(spread("kill_to_out_s", samples, {})) == expected


@pytest.mark.parametrize(
    ("name", "most", "expected"),
    [
        ("hang_to_out_s", 20.0, True),
        ("hang_to_out_s", 20.1, False),
        ("hang_to_out_ollama_s", 60.0, True),
        ("hang_to_out_ollama_s", 60.1, False),
    ],
)
def test_hangs_are_judged_by_the_worst(name, most, expected):
    assert met(spread(name, [1.0] * 19 + [most], {})) == [expected]


@pytest.mark.parametrize(
    ("name", "bound", "unit"),
    [
        ("decide_us", 100.0, "us"),
        ("decide_ill_us", 500.0, "us"),
        ("idle_pss_mib", 72.0, "MiB"),
        ("idle_cpu_percent", 0.5, "%"),
        ("status_ms", 150.0, "ms"),
    ],
)
def test_what_the_agent_costs_is_judged_by_the_median(name, bound, unit):
    assert met(spread(name, [bound, bound, 9 * bound], {}, unit=unit)) == [True]
    assert met(spread(name, [0.0, bound * 1.01, bound * 1.01], {}, unit=unit)) == [False]
