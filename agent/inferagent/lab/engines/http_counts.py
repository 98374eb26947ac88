"""What vLLM's API server counts of its own requests, beside the engine's numbers, and while the engine hangs.

Its pages for machines are not counted.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

from inferagent.lab.engines.exposition_rest import head

UNCOUNTED = {"/health", "/ping", "/version", "/load", "/metrics"}
COARSE = (0.1, 0.5, 1.0)
FINE: tuple[float, ...] = (
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    3.5,
    4.0,
    4.5,
)
FINE = (*FINE, 5.0, 7.5, 10.0, 30.0, 60.0)
PYTHON = ("objects_collected", "objects_uncollectable", "collections")
PROCESS = ("virtual_memory_bytes", "resident_memory_bytes", "open_fds", "max_fds")


class Seconds:
    """Counts up to each bound, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.counts = bounds, [0] * len(bounds)
        self.count, self.sum = 0, 0.0

    def add(self, value: float) -> None:
        self.count, self.sum = self.count + 1, self.sum + value
        self.counts = [n + (value <= bound) for n, bound in zip(self.counts, self.bounds, strict=True)]

    def lines(self, name: str, of: Mapping[str, str]) -> list[str]:
        bounds = (*map(str, self.bounds), "+Inf")
        pairs = zip(bounds, (*self.counts, self.count), strict=True)
        lines = [f"{name}_bucket{labels(of, le=bound)} {float(n)}" for bound, n in pairs]
        return [*lines, f"{name}_count{labels(of)} {float(self.count)}", f"{name}_sum{labels(of)} {self.sum}"]


def labels(of: Mapping[str, str], **more: str) -> str:
    pairs = {**of, **more}
    said = ",".join(f'{key}="{pairs[key]}"' for key in sorted(pairs))
    return f"{{{said}}}" if said else ""


class HttpCounts:
    """By handler (the route's path, "none" without one), method and the status's first digit."""

    def __init__(self) -> None:
        self.born = time.time()
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.sizes: dict[str, dict[str, int]] = {"request": Counter(), "response": Counter()}
        self.handled: Counter[str] = Counter()
        self.coarse: dict[tuple[str, str], Seconds] = defaultdict(lambda: Seconds(COARSE))
        self.fine = Seconds(FINE)

    def take(self, handler: str, method: str, status: int, asked: int, answered: int, seconds: float) -> None:
        """One request; sizes in bytes."""
        if handler in UNCOUNTED:
            return
        self.requests[handler, method, f"{status // 100}xx"] += 1
        self.handled[handler] += 1
        self.sizes["request"][handler] += asked
        self.sizes["response"][handler] += answered
        self.coarse[handler, method].add(seconds)
        self.fine.add(seconds)

    def lines(self) -> list[str]:
        requests = [{"handler": h, "method": m, "status": s} for h, m, s in self.requests]
        lines = head("http_requests_total", "counter")
        counts = zip(requests, self.requests.values(), strict=True)
        lines += [f"http_requests_total{labels(of)} {float(n)}" for of, n in counts]
        lines += self.created("http_requests", requests)
        for what in self.sizes:
            lines += self.summary(f"http_{what}_size_bytes", self.sizes[what])
        fine, coarse = "http_request_duration_highr_seconds", "http_request_duration_seconds"
        lines += [*head(fine, "histogram"), *self.fine.lines(fine, {}), *self.created(fine, [{}])]
        handlers = [{"handler": h, "method": m} for h, m in self.coarse]
        lines += head(coarse, "histogram")
        for of, seconds in zip(handlers, self.coarse.values(), strict=True):
            lines += seconds.lines(coarse, of)
        return [*lines, *self.created(coarse, handlers)]

    def created(self, name: str, of: list[dict[str, str]]) -> list[str]:
        if not of:
            return []
        name = f"{name}_created"
        return [*head(name, "gauge"), *(f"{name}{labels(one)} {self.born}" for one in of)]

    def summary(self, name: str, sizes: Mapping[str, int]) -> list[str]:
        lines = head(name, "summary")
        for handler, size in sizes.items():
            of = labels({"handler": handler})
            lines += [f"{name}_count{of} {float(self.handled[handler])}", f"{name}_sum{of} {float(size)}"]
        return [*lines, *self.created(name, [{"handler": handler} for handler in sizes])]


def process(born: float) -> list[str]:
    """Of the server's own process; only its times are true."""
    lines: list[str] = []
    for name in PYTHON:
        full = f"python_gc_{name}_total"
        lines += head(full, "counter")
        lines += [f'{full}{{generation="{generation}"}} 0.0' for generation in range(3)]
    info = 'python_info{implementation="CPython",major="3",minor="0",patchlevel="0",version="3.0.0"} 1.0'
    lines += [*head("python_info", "gauge"), info]
    for name in PROCESS:
        lines += [*head(f"process_{name}", "gauge"), f"process_{name} 0.0"]
    cpu, start = "process_cpu_seconds_total", "process_start_time_seconds"
    lines += [*head(cpu, "counter"), f"{cpu} {time.process_time():.2f}"]
    return [*lines, *head(start, "gauge"), f"{start} {born}"]
