"""What is counted comes from the EngineCore's messages alone."""

import time

from inferagent.lab.engines.counters import Counters, Histogram


def message(**more):
    return {"running": 0, "waiting": 0, **more}


def test_a_histogram_counts_up_to_each_bound():
    values = Histogram((1.0, 8.0))
    for value in (0.5, 1.0, 4.0, 100.0):
        values.observe(value)
    assert (values.counts, values.count, values.sum) == ([2, 3], 4, 105.5)


def test_tokens_prompts_and_ends_are_counted():
    counters = Counters()
    began = time.monotonic() - 3.0
    counters.take(
        message(running=2, waiting=1, blocks=3, tokens={"a": 1, "b": 2}, prefilled={"a": 19}), {"a": began}
    )
    assert (counters.running, counters.waiting, counters.blocks) == (2, 1, 3)
    assert (counters.generation_tokens, counters.prompt_tokens) == (3, 19)
    assert (counters.iteration.count, counters.iteration.sum) == (1, 22)
    assert counters.first_token.sum >= 3.0
    counters.take(message(done=["a"]), {"a": began})
    assert (counters.running, counters.success["length"], counters.whole.count) == (0, 1, 1)


def test_an_abort_is_no_success():
    counters = Counters()
    counters.take(message(aborted="a"), {})
    assert (counters.success["abort"], counters.success["length"]) == (1, 0)
    assert counters.iteration.count == 0
