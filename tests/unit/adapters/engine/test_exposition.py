"""Metrics texts of several releases, torn ones and rubbish."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.adapters.engine.exposition import MAX_BYTES, MAX_LINES, canonical, parse

TEXT = b"""# HELP vllm:num_requests_running Requests in execution.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a"} 2.0
vllm:num_requests_running{engine="1",model_name="a"} 1.0
vllm:request_success_total{finished_reason="stop"} 7
vllm:request_success_total{finished_reason="abort"} 5 1700000000000
vllm:odd{text="brace } comma , quote \\" in it",other="x"} 4
vllm:itl_bucket{le="0.1"} 9
plain 3.5e2
build_info{goversion="go1",version="2026.8.2"} 1
"""


def test_sums_over_labels():
    assert parse(TEXT).total("num_requests_running") == 3


def test_the_first_name_that_is_there_counts():
    assert parse(TEXT).total("num_requests_active", "num_requests_running", "plain") == 3


def test_samples_with_an_unwanted_label_are_left_out():
    unwanted = frozenset({("finished_reason", "abort")})
    assert parse(TEXT).total("request_success", without=unwanted) == 7
    assert parse(TEXT).total("request_success") == 12


def test_what_is_missing_is_none_and_not_zero():
    assert parse(TEXT).total("num_requests_waiting") is None


def test_labels_with_braces_commas_and_quotes():
    assert parse(TEXT).total("odd") == 4
    assert parse(TEXT).label("odd", "other") == "x"
    assert parse(TEXT).label("build_info", "version") == "2026.8.2"
    assert parse(TEXT).label("nothing", "version") == ""


def test_plain_samples_and_exponents():
    assert parse(TEXT).total("plain") == 350


@pytest.mark.parametrize("number", ["NaN", "+Inf", "-Inf", "two", "", "1_0x"])
def test_what_is_no_number_is_left_out(number):
    found = parse(f"a 1\nb {number}\n".encode())
    assert (found.total("a"), found.total("b")) == (1, None)


def test_a_torn_last_line_is_left_out_since_it_may_lack_digits():
    found = parse(b"a 1\nb 1234")
    assert (found.total("a"), found.total("b"), found.whole) == (1, None, False)


def test_an_empty_text_is_whole():
    assert parse(b"").whole
    assert parse(TEXT).whole


def test_only_so_many_lines_are_read():
    found = parse(b"a 1\n" * (MAX_LINES + 10))
    assert (found.whole, found.total("a")) == (False, MAX_LINES)
    assert parse(b"a 1\n" * MAX_LINES).whole


def test_only_so_many_bytes_are_read():
    found = parse((b"a 1" + b" " * 4092 + b"\n") * (MAX_BYTES // 4096 + 10))
    assert (found.whole, found.total("a")) == (False, MAX_BYTES // 4096)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("vllm:prompt_tokens_total", "prompt_tokens"), ("prompt_tokens", "prompt_tokens"), ("a:b:c", "c")],
)
def test_prefix_and_total_do_not_count(name, plain):
    assert canonical(name) == plain


def test_a_long_line_without_an_end_costs_nothing():
    assert parse(b"a{" + b'x="' * 100_000 + b"\nb 1\n").total("b") == 1


@given(st.binary(max_size=400))
def test_rubbish_never_raises_and_every_total_is_finite(body):
    found = parse(body)
    for name in found.samples:
        total = found.total(name)
        assert total is not None
        assert math.isfinite(total)


@given(st.integers(min_value=0, max_value=len(TEXT)))
def test_any_cut_of_a_good_text_only_leaves_out(cut):
    whole, part = parse(TEXT), parse(TEXT[:cut])
    assert all(samples == whole.samples[name][: len(samples)] for name, samples in part.samples.items())
