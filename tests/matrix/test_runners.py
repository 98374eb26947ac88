"""Catching runners as they begin, and giving them little time."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.matrix.runners import Hunter, Slow, cpu_seconds, runners, wait_for_load
from tests.support.scenario import until

from inferagent.lab.demo.world import free_ports
from inferagent.lab.processes import Program, kill, look

# Starts a child each time that it reads a line: one with a model, or another one.
PARENT = """
import subprocess, sys
for line in sys.stdin:
    words = ["--model", "m"] if line == "runner\\n" else []
    subprocess.Popen([sys.executable, "-S", "-c", "import time\\nwhile True: time.sleep(0.001)", *words])
"""


@asynccontextmanager
async def parent(tmp_path: Path) -> AsyncIterator[tuple[int, Callable[[str], None]]]:
    pipe = tmp_path / "lines"
    script = tmp_path / "parent.py"
    script.write_text(PARENT.replace("sys.stdin", f"open({str(pipe)!r})"))
    asked = await asyncio.create_subprocess_exec("mkfifo", str(pipe))
    assert await asked.wait() == 0
    program = await Program.start([sys.executable, "-S", str(script)], {}, tmp_path / "log")
    lines = await asyncio.to_thread(pipe.open, "w", buffering=1)
    try:
        yield program.pid, lambda line: print(line, file=lines)
    finally:
        lines.close()
        await program.end()


def holds(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return condition()

    return found


async def test_only_new_runners_are_struck_and_at_most_as_many_as_wanted(tmp_path: Path) -> None:
    async with parent(tmp_path) as (pid, start):
        start("runner")
        await until(holds(lambda: len(runners(pid)) == 1), "the first runner", 10)
        (first,) = runners(pid)
        hunter = Hunter(lambda: pid, kill, most=1).begin()
        start("something else")
        start("runner")
        await until(holds(lambda: len(hunter.met) == 1), "the second runner is met", 10)
        assert hunter.met != [first]
        await until(holds(lambda: runners(pid) == [first]), "the second runner is dead", 10)
        start("runner")
        await until(holds(lambda: len(runners(pid)) == 2), "the third runner lives", 10)
        assert len(hunter.met) == 1
        hunter.end()


async def test_a_slow_process_gets_its_share_and_runs_freely_afterwards(tmp_path: Path) -> None:
    busy = [sys.executable, "-S", "-c", "while True: pass"]
    program = await Program.start(busy, {}, tmp_path / "log")
    try:
        slow, begun, had = Slow(0.05), time.monotonic(), cpu_seconds(program.pid)
        slow.hold(program.pid)
        some = holds(lambda: time.monotonic() > begun + 2 and cpu_seconds(program.pid) > had)
        await until(some, "it has run for a moment", 20)
        share = (cpu_seconds(program.pid) - had) / (time.monotonic() - begun)
        assert 0 < share < 0.2
        slow.end()
        had = cpu_seconds(program.pid)
        await until(holds(lambda: cpu_seconds(program.pid) > had + 0.5), "it runs freely", 20)
        assert state(program.pid) == "R"
    finally:
        slow.end()
        await program.end()


RUNNER = """
import http.server, json, sys, time
begun = time.monotonic()
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"status": 2 if time.monotonic() < begun + 0.4 else 3}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), Health).serve_forever()
"""


async def test_a_runner_is_waited_for_until_it_loads(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    program = await Program.start([sys.executable, "-c", RUNNER, "--port", str(port)], {}, tmp_path / "log")
    begun = time.monotonic()
    try:
        await asyncio.to_thread(wait_for_load, program.pid)
        took = time.monotonic() - begun
    finally:
        await program.end()
    assert took > 0.4
    begun = time.monotonic()
    wait_for_load(program.pid)
    assert time.monotonic() - begun < 5, "somebody who has gone was waited for"


def state(pid: int) -> str:
    found = look(pid)
    assert found is not None
    return found.state


def test_nobody_has_no_runners() -> None:
    assert runners(0) == []
    assert runners(2**22) == []
