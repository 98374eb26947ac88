"""/metrics has the names, labels and number format that were recorded from the real program."""

import re

from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition import render

LINE = re.compile(r"[a-z_]+:[a-z0-9_]+\{(?:[a-z_]+=\"[^\"]*\",?)+\} [0-9.e+-]+")


def lines(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_every_line_is_a_sample_with_both_labels():
    text = render(Counters(), "chat")
    for line in lines(text):
        assert LINE.fullmatch(line), line
        assert 'engine="0"' in line
        assert 'model_name="chat"' in line
    assert text.endswith("\n")


def test_the_recorded_lines():
    counters = Counters(running=4, waiting=2, generation_tokens=1994, prompt_tokens=25)
    counters.success["length"] = 2
    text = render(counters, "tiny")
    for wanted in (
        'vllm:num_requests_running{engine="0",model_name="tiny"} 4.0',
        'vllm:num_requests_waiting{engine="0",model_name="tiny"} 2.0',
        'vllm:num_requests_waiting_by_reason{engine="0",model_name="tiny",reason="capacity"} 2.0',
        'vllm:engine_sleep_state{engine="0",model_name="tiny",sleep_state="awake"} 1.0',
        'vllm:generation_tokens_total{engine="0",model_name="tiny"} 1994.0',
        'vllm:prompt_tokens_total{engine="0",model_name="tiny"} 25.0',
        'vllm:request_success_total{engine="0",finished_reason="length",model_name="tiny"} 2.0',
        'vllm:num_preemptions_total{engine="0",model_name="tiny"} 0.0',
        'vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="tiny"} 0.0',
        "# TYPE vllm:iteration_tokens_total histogram",
    ):
        assert wanted in text.splitlines(), wanted


def test_the_cache_fills_block_by_block():
    pattern = re.compile(r"^vllm:kv_cache_usage_perc\{.*\} (.*)$", re.MULTILINE)
    shares = [float(pattern.search(render(Counters(blocks=blocks), "m"))[1]) for blocks in (0, 1, 2, 1 << 20)]
    assert shares[0] == 0 < shares[1] < shares[2] < shares[3] == 1
