"""The whole text of vLLM's /metrics, in the order of the real one: the process, the engine, its requests."""

from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition import STARTED, render
from inferagent.lab.engines.exposition_rest import rest
from inferagent.lab.engines.http_counts import HttpCounts, process


def page(counters: Counters | None, model: str, http: HttpCounts) -> str:
    """`counters` None: an engine that was started without statistics."""
    lines = process(STARTED)
    if counters is not None:
        lines += [*render(counters, model).splitlines(), *rest(counters, model, STARTED)]
    return "\n".join([*lines, *http.lines()]) + "\n"
