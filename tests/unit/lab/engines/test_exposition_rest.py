from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition_rest import rest


def values(counters):
    lines = (line for line in rest(counters, "chat", 1.5) if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_counters_that_nothing_counts_stand_at_zero_since_the_start():
    found = values(Counters())
    of = '{engine="0",model_name="chat"}'
    assert found[f"vllm:prefix_cache_hits_total{of}"] == 0
    assert found[f"vllm:prefix_cache_hits_created{of}"] == 1.5
    assert found['vllm:admission_rejections_total{model_name="chat",reason="max_num_queued_reqs"}'] == 0


def test_histograms_count_what_has_ended_and_the_steps_between_tokens():
    counters = Counters(generation_tokens=10)
    counters.success["length"] = 3
    counters.first_token.observe(0.1)
    found = values(counters)
    of = 'engine="0",{}model_name="chat"'
    assert found[f"vllm:request_queue_time_seconds_count{{{of.format('')}}}"] == 3
    bucket = of.format('le="+Inf",')
    assert found[f"vllm:request_queue_time_seconds_bucket{{{bucket}}}"] == 3
    assert found[f"vllm:inter_token_latency_seconds_count{{{of.format('')}}}"] == 9
