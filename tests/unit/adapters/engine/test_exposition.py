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


def test_a_line_that_was_read_before_reads_the_same_and_a_changed_one_anew():
    first, again = parse(b"a 1\nb 2\nc nan\n"), parse(b"a 1\nb 3\nc nan\n")
    assert (first.total("a"), first.total("b")) == (1.0, 2.0)
    assert (again.total("a"), again.total("b")) == (1.0, 3.0)
    assert first.doubtful == again.doubtful == {"c"}


def test_a_count_is_whole_and_exact():
    assert parse(TEXT).count("num_requests_running") == 3
    assert parse(TEXT).count("request_success", "num_requests_running") == 12
    assert parse(b'a 9007199254740993\na{b="1"} 1\n').count("a") == 9007199254740993


@pytest.mark.parametrize("line", ["NaN", "+Inf", "-1", "0.5", "two", "", "1_0", "٣", "3 x", "0x10", "1 2 3"])
def test_a_count_with_a_line_that_says_none_is_unknown(line):
    """Without that line the sum would be too small: nothing in flight, where somebody is."""
    found = parse(f'a{{b="1"}} 0\na{{b="2"}} {line}\nc 1\n'.encode())
    assert (found.count("a"), found.count("c")) == (None, 1)


@pytest.mark.parametrize(
    "text", [b"a 1\na 1\n", b'a{b="1} 1\n', b"a{b=1} 1\n", b"a 1e999\n", b"b 1\n", b"#a 1\n", b""]
)
def test_a_count_that_is_told_twice_or_not_at_all_is_unknown(text):
    assert parse(text).count("a") is None


@pytest.mark.parametrize("cut", [b'a 1\na{b="2"} 12', b"a 1\n# TYPE c gauge\nc 1\na", b"a 1\nb"])
def test_a_family_at_the_cut_is_unknown(cut):
    assert parse(cut).count("a") is None


def test_a_family_before_the_last_one_is_whole():
    assert parse(b"a 1\n# TYPE c gauge\nc 1").count("a") == 1


@pytest.mark.parametrize("line", ["<html>", "a{ 1", "a 1 2 3", "a"])
def test_a_line_that_is_none_is_a_damage(line):
    assert not parse(f"b 1\n{line}\n".encode()).whole


@pytest.mark.parametrize(
    "line", ['a {b="1"} 2', ' a{b="1",} 2 ', 'a{b="x_bucket{y"} 2', "a\t2 1700000000000", "a 2\r"]
)
def test_lines_as_the_format_allows_them(line):
    found = parse(f"# HELP a b\n\n{line}\n".encode())
    assert (found.count("a"), found.whole) == (2, True)


def test_numbers_too_large_to_add_are_no_total():
    assert parse(b'a{b="1"} 1e308\na{b="2"} 1e308\n').total("a") is None
