"""The text of vLLM's /metrics: names, labels and order as recorded, help texts of our own."""

import time

from inferagent.lab.engines.counters import Counters, Histogram

STARTED = time.time()
CACHE_BLOCKS = 1 << 14


def labels(model: str, **more: str) -> str:
    pairs = {"engine": "0", "model_name": model, **more}
    return ",".join(f'{name}="{pairs[name]}"' for name in sorted(pairs))


def family(name: str, kind: str, about: str, samples: list[tuple[str, float]]) -> list[str]:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    return [*lines, *(f"{name}{{{of}}} {float(value)}" for of, value in samples)]


def counter(name: str, about: str, samples: list[tuple[str, float]]) -> list[str]:
    born = [(of, STARTED) for of, _ in samples]
    created = family(f"{name.removesuffix('_total')}_created", "gauge", about, born)
    return [*family(name, "counter", about, samples), *created]


def histogram(name: str, model: str, about: str, values: Histogram) -> list[str]:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} histogram"]
    for bound, count in zip((*map(str, values.bounds), "+Inf"), (*values.counts, values.count), strict=True):
        lines.append(f"{name}_bucket{{{labels(model, le=bound)}}} {float(count)}")
    of = labels(model)
    lines += [f"{name}_count{{{of}}} {float(values.count)}", f"{name}_sum{{{of}}} {values.sum}"]
    return [*lines, *family(f"{name}_created", "gauge", about, [(of, STARTED)])]


def gauges(counters: Counters, model: str, usage: float) -> list[str]:
    of = labels(model)
    reasons = {"capacity": counters.waiting, "deferred": 0}
    states = {"awake": 1, "weights_offloaded": 0, "discard_all": 0}
    waiting = [(labels(model, reason=reason), float(count)) for reason, count in reasons.items()]
    asleep = [(labels(model, sleep_state=state), float(value)) for state, value in states.items()]
    return [
        *family("vllm:num_requests_running", "gauge", "Requests in the batch.", [(of, counters.running)]),
        *family("vllm:num_requests_waiting", "gauge", "Requests not yet in it.", [(of, counters.waiting)]),
        *family("vllm:num_requests_waiting_by_reason", "gauge", "The same, by reason.", waiting),
        *family("vllm:engine_sleep_state", "gauge", "One for the state that it is in.", asleep),
        *family("vllm:kv_cache_usage_perc", "gauge", "Share of the KV cache in use.", [(of, usage)]),
    ]


def render(counters: Counters, model: str) -> str:
    """The families of one engine that serves `model`, as far as the lab counts."""
    of = labels(model)
    ended = [(labels(model, finished_reason=reason), float(n)) for reason, n in counters.success.items()]
    lines = [
        *gauges(counters, model, min(1.0, counters.blocks / CACHE_BLOCKS)),
        *counter("vllm:num_preemptions_total", "Requests put back.", [(of, 0.0)]),
        *counter("vllm:prompt_tokens_total", "Tokens of prompts read.", [(of, counters.prompt_tokens)]),
        *counter("vllm:generation_tokens_total", "Tokens made.", [(of, counters.generation_tokens)]),
        *counter("vllm:request_success_total", "Requests ended, by how.", ended),
        *histogram("vllm:iteration_tokens_total", model, "Tokens in one step.", counters.iteration),
        *histogram("vllm:time_to_first_token_seconds", model, "Until the first token.", counters.first_token),
        *histogram("vllm:e2e_request_latency_seconds", model, "Whole requests.", counters.whole),
    ]
    return "\n".join(lines) + "\n"
