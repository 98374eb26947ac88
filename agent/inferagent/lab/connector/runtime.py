"""What the real /metrics shows beside its own numbers: the Go runtime, the process, the page itself.

Nobody in the lab asks for these, so all but the process's times are zeros; they make the page as long.
"""

import time

GAUGES = (
    "go_gc_gogc_percent",
    "go_gc_gomemlimit_bytes",
    "go_goroutines",
    "go_memstats_alloc_bytes",
    "go_memstats_buck_hash_sys_bytes",
    "go_memstats_gc_sys_bytes",
    "go_memstats_heap_alloc_bytes",
    "go_memstats_heap_idle_bytes",
    "go_memstats_heap_inuse_bytes",
    "go_memstats_heap_objects",
    "go_memstats_heap_released_bytes",
    "go_memstats_heap_sys_bytes",
    "go_memstats_last_gc_time_seconds",
    "go_memstats_mcache_inuse_bytes",
    "go_memstats_mcache_sys_bytes",
    "go_memstats_mspan_inuse_bytes",
    "go_memstats_mspan_sys_bytes",
    "go_memstats_next_gc_bytes",
    "go_memstats_other_sys_bytes",
    "go_memstats_stack_inuse_bytes",
    "go_memstats_stack_sys_bytes",
    "go_memstats_sys_bytes",
    "go_sched_gomaxprocs_threads",
    "go_threads",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_virtual_memory_max_bytes",
    "promhttp_metric_handler_requests_in_flight",
)
COUNTERS = (
    "go_memstats_alloc_bytes_total",
    "go_memstats_frees_total",
    "go_memstats_mallocs_total",
    "process_network_receive_bytes_total",
    "process_network_transmit_bytes_total",
)
QUANTILES = ("0", "0.25", "0.5", "0.75", "1")
CODES = ("200", "500", "503")


def family(name: str, kind: str, *samples: str) -> list[str]:
    about = name.replace("_", " ")
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *samples]


def lines(started: float, pages: int) -> list[str]:
    """`started` on the wall clock; `pages` is how often /metrics was asked for."""
    pauses = [f'go_gc_duration_seconds{{quantile="{q}"}} 0' for q in QUANTILES]
    served = [
        f'promhttp_metric_handler_requests_total{{code="{code}"}} {pages if code == "200" else 0}'
        for code in CODES
    ]
    found = family(
        "go_gc_duration_seconds",
        "summary",
        *pauses,
        "go_gc_duration_seconds_sum 0",
        "go_gc_duration_seconds_count 0",
    )
    found += family("go_info", "gauge", 'go_info{version="none"} 1')
    for kind, names in (("gauge", GAUGES), ("counter", COUNTERS)):
        found += [line for name in names for line in family(name, kind, f"{name} 0")]
    cpu = f"process_cpu_seconds_total {time.process_time():.2f}"
    return [
        *found,
        *family("process_cpu_seconds_total", "counter", cpu),
        *family("process_start_time_seconds", "gauge", f"process_start_time_seconds {started}"),
        *family("promhttp_metric_handler_requests_total", "counter", *served),
    ]
