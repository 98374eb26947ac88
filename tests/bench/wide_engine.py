"""A vLLM for the idle figures: it answers the agent, and its metrics are as long as the real program's.

`python wide_engine.py --port N`. It has no processes and generates nothing. INFERAGENT_BENCH_METRICS names a
recorded answer to serve instead.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

from aiohttp import web

from inferagent.lab.engines.counters import Counters
from inferagent.lab.engines.exposition_page import page
from inferagent.lab.engines.http_counts import HttpCounts

RECORDED = "INFERAGENT_BENCH_METRICS"
MODEL = "chat"
CPU = "process_cpu_seconds_total"
_CPU_LINE = re.compile(rf"^{CPU} .*$", re.MULTILINE)


def wide() -> str:
    """Metrics of about as many lines and bytes as recorded from the real program: those of the stand-in."""
    return page(Counters(), MODEL, HttpCounts())


def body_of(recorded: str) -> str:
    """The text of a recorded answer, whose status line and headers are left out."""
    head, blank, body = recorded.replace("\r\n", "\n").partition("\n\n")
    return body if blank and head.startswith("HTTP/") else recorded


def metrics() -> str:
    named = os.environ.get(RECORDED)
    return body_of(Path(named).read_text(encoding="utf-8")) if named else wide()


def conditions() -> dict[str, object]:
    text = metrics()
    named = os.environ.get(RECORDED)
    return {
        "metrics_from": Path(named).name if named else "made by the bench, as long as recorded from vLLM",
        "metrics_bytes": len(text.encode()),
        "metrics_lines": text.count("\n"),
    }


def app() -> web.Application:
    text = metrics()

    async def show(_request: web.Request) -> web.Response:
        """The server's own CPU time moves with each answer, as in the real one."""
        now = _CPU_LINE.sub(f"{CPU} {time.process_time():.2f}", text)
        return web.Response(body=now.encode(), content_type="text/plain")

    async def models(_request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def generate(_request: web.Request) -> web.Response:
        choice = {"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "length"}
        return web.json_response({"choices": [choice], "usage": {"completion_tokens": 1}})

    made = web.Application()
    made.add_routes(
        [
            web.get("/metrics", show),
            web.get("/v1/models", models),
            web.post("/v1/chat/completions", generate),
        ]
    )
    return made


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    web.run_app(app(), host="127.0.0.1", port=parser.parse_args(arguments).port, access_log=None, print=None)


if __name__ == "__main__":
    main(sys.argv[1:])
