"""The families of vLLM's /metrics that the lab counts nothing for: they make the page as long as it is.

Counters stand at zero; a histogram of requests has its count, and every value in its lowest bucket.
"""

from inferagent.lab.engines.counters import WHOLE, Counters

LENGTHS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
STEPS: tuple[float, ...] = (
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
)
STEPS = (*STEPS, 40.0, 80.0)
FEW = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0)
# Counters with the label that splits them, and its values.
COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "estimated_flops_per_gpu": ("", ()),
    "estimated_read_bytes_per_gpu": ("", ()),
    "estimated_write_bytes_per_gpu": ("", ()),
    "prefix_cache_queries": ("", ()),
    "prefix_cache_hits": ("", ()),
    "external_prefix_cache_queries": ("", ()),
    "external_prefix_cache_hits": ("", ()),
    "mm_cache_queries": ("", ()),
    "mm_cache_hits": ("", ()),
    "prompt_tokens_by_source": ("source", ("local_compute", "local_cache_hit", "external_kv_transfer")),
    "prompt_tokens_cached": ("", ()),
    "prompt_tokens_cached_by_source": ("source", ("device", "host", "p2p", "disk", "external_unspecified")),
}
REFUSED = ("max_num_queued_reqs", "max_num_queued_tokens")
# Histograms with one value a finished request.
BY_REQUEST = {
    "request_prompt_tokens": LENGTHS,
    "request_generation_tokens": LENGTHS,
    "request_max_num_generation_tokens": LENGTHS,
    "request_params_n": (1.0, 2.0, 5.0, 10.0, 20.0),
    "request_params_max_tokens": LENGTHS,
    "request_time_per_output_token_seconds": STEPS,
    "request_queue_time_seconds": WHOLE,
    "request_inference_time_seconds": WHOLE,
    "request_prefill_time_seconds": WHOLE,
    "request_decode_time_seconds": WHOLE,
    "request_num_preemptions": FEW,
    "request_prefill_kv_computed_tokens": LENGTHS,
}
CACHE = (
    "_block_size_resolved block_size cache_dtype cache_hit_alignment_tokens effective_attention_block_size"
    " enable_mamba_shared_prefix_checkpoint enable_prefix_caching engine gpu_memory_utilization"
    " hash_block_size is_attention_free kv_cache_dtype_skip_layers kv_cache_layout"
    " kv_cache_max_concurrency kv_cache_memory_bytes kv_cache_size_tokens kv_offloading_backend"
    " kv_offloading_size kv_sharing_fast_prefill mamba_block_size mamba_cache_dtype mamba_cache_mode"
    " mamba_page_size_padded mamba_ssm_cache_dtype num_cpu_blocks num_gpu_blocks num_gpu_blocks_override"
    " prefix_cache_retention_interval prefix_caching_hash_algo prefix_match_unit replayssm_buffer_len"
    " skip_page_size_padded sliding_window swa_bounded_replay use_kda_recoverssm use_replayssm"
    " user_specified_block_size"
)


def head(name: str, kind: str) -> list[str]:
    return [f"# HELP {name} {name.rpartition(':')[2].replace('_', ' ')}", f"# TYPE {name} {kind}"]


def counter(name: str, labels: list[str], born: float, value: float = 0.0) -> list[str]:
    total, created = f"vllm:{name}_total", f"vllm:{name}_created"
    lines = [*head(total, "counter"), *(f"{total}{{{of}}} {value}" for of in labels)]
    return [*lines, *head(created, "gauge"), *(f"{created}{{{of}}} {born}" for of in labels)]


def histogram(name: str, bounds: tuple[float, ...], of: str, count: int, born: float) -> list[str]:
    """`of` is "engine=…,model_name=…": the bound stands between the two."""
    engine, _, model = of.partition(",")
    lines = head(f"vllm:{name}", "histogram")
    lines += [
        f'vllm:{name}_bucket{{{engine},le="{bound}",{model}}} {float(count)}' for bound in (*bounds, "+Inf")
    ]
    lines += [f"vllm:{name}_count{{{of}}} {float(count)}", f"vllm:{name}_sum{{{of}}} 0.0"]
    return [*lines, *head(f"vllm:{name}_created", "gauge"), f"vllm:{name}_created{{{of}}} {born}"]


def rest(counters: Counters, model: str, born: float) -> list[str]:
    """All of it for one engine, whose counters began at `born` on the wall clock."""
    of = f'engine="0",model_name="{model}"'
    lines: list[str] = []
    for name, (label, values) in COUNTERS.items():
        lines += counter(name, [f'{of},{label}="{value}"' for value in values] or [of], born)
    refused = [f'model_name="{model}",reason="{why}"' for why in REFUSED]
    lines += counter("admission_rejections", refused, born)
    ended = sum(counters.success.values())
    for name, bounds in BY_REQUEST.items():
        lines += histogram(name, bounds, of, ended, born)
    between = max(0, counters.generation_tokens - counters.first_token.count)
    lines += histogram("inter_token_latency_seconds", STEPS, of, between, born)
    said = ",".join(f'{key}="{0 if key == "engine" else "auto"}"' for key in CACHE.split())
    return [*lines, *head("vllm:cache_config_info", "gauge"), f"vllm:cache_config_info{{{said}}} 1.0"]
