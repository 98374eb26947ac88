import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import threading
from pathlib import Path

import pytest
from tests.unit.programs.ready_bench import listening

from inferagent.adapters.gpu.leave import FILE, hold_lock
from inferagent.adapters.verdict_file import VerdictFile
from inferagent.lab.demo.world import free_ports
from inferagent.programs import ready
from inferagent.programs.helpers import PROBE, READY, Helpers

SYSTEMD = {"INFERAGENT_SUPERVISED": "systemd"}


@contextlib.contextmanager
def ready_url(run: Path):
    """The ready program's own server, in a thread."""
    listener = listening()
    listener.setblocking(False)
    server = ready.Server(str(run), listener, "")
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.leave()
        thread.join()
        server.selector.close()


async def test_under_systemd_nothing_is_started_and_what_is_missing_is_said(tmp_path):
    troubles: dict[str, str] = {}
    helpers = Helpers(tmp_path, troubles, SYSTEMD)
    port = free_ports(1)[0]
    await helpers.look(port, "127.0.0.1:1")
    assert f"sudo systemctl start {READY}" in troubles["no-ready-program"]
    assert troubles["no-gpu-probe"] == "", "the first look may have come between two starts"
    await helpers.look(port, "127.0.0.1:1")
    assert f"sudo systemctl start {PROBE}" in troubles["no-gpu-probe"]
    assert not (tmp_path / "ready.json").exists()
    assert not (tmp_path / FILE).exists()


async def test_what_systemd_runs_is_seen(tmp_path):
    troubles = {"no-ready-program": "x", "no-gpu-probe": "x"}
    helpers = Helpers(tmp_path, troubles, SYSTEMD)
    lock = hold_lock(tmp_path)
    with ready_url(tmp_path) as port:
        for _ in range(2):
            await helpers.look(port, "127.0.0.1:1")
    assert lock is not None
    os.close(lock)
    assert troubles == {"no-ready-program": "", "no-gpu-probe": ""}


async def test_a_host_without_a_gpu_needs_no_probe(tmp_path):
    troubles: dict[str, str] = {}
    helpers = Helpers(tmp_path, troubles, SYSTEMD)
    (tmp_path / FILE).write_text(json.dumps({"report": {"at": 1.0}}))
    for _ in range(2):
        await helpers.look(free_ports(1)[0], "127.0.0.1:1")
    assert troubles["no-gpu-probe"] == ""


async def test_another_program_on_the_port_is_no_ready_url(tmp_path):
    troubles: dict[str, str] = {}

    async def other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        await Helpers(tmp_path, troubles, SYSTEMD).look(server.sockets[0].getsockname()[1], "127.0.0.1:1")
    assert "cannot reach the ready URL" in troubles["no-ready-program"]


async def test_without_systemd_they_are_started_by_the_agent(tmp_path):
    troubles: dict[str, str] = {}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        await Helpers(tmp_path, troubles, {}).look(taken.getsockname()[1], "127.0.0.1:1")
    assert "cannot listen on" in troubles["no-ready-program"]
    assert troubles["no-gpu-probe"] == ""


async def test_the_record_of_a_living_ready_program_is_written_anew(tmp_path):
    run, troubles, port = tmp_path / "run", {}, free_ports(1)[0]
    run.mkdir()
    helpers = Helpers(run, troubles, {})
    await helpers.look(port, "127.0.0.1:1")
    first = json.loads((run / "ready.json").read_text())
    shutil.rmtree(run)
    run.mkdir()
    await helpers.look(port, "127.0.0.1:1")
    second = json.loads((run / "ready.json").read_text())
    os.kill(first["pid"], signal.SIGKILL)
    assert second == first
    assert troubles["no-ready-program"] == ""


async def test_a_ready_program_that_dies_is_missed_at_once(tmp_path):
    helpers, port = Helpers(tmp_path, {}, {}), free_ports(1)[0]

    async def living() -> int:
        await helpers.look(port, "127.0.0.1:1")
        return int(json.loads((tmp_path / "ready.json").read_text())["pid"])

    first = await living()
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(20):
        await helpers.rest(3600)
    second = await living()
    os.kill(second, signal.SIGKILL)
    assert second != first


@pytest.mark.parametrize("ready_now", [True, False])
async def test_any_verdict_is_an_answer(tmp_path, ready_now):
    from inferagent.adapters.clock import BootClock

    VerdictFile(tmp_path, BootClock()).write(ready_now, "serving")
    troubles: dict[str, str] = {}
    with ready_url(tmp_path) as port:
        await Helpers(tmp_path, troubles, SYSTEMD).look(port, "127.0.0.1:1")
    assert troubles["no-ready-program"] == ""


@pytest.mark.parametrize(
    ("environ", "child", "said"), [(SYSTEMD, True, True), (SYSTEMD, False, False), ({}, True, False)]
)
def test_an_engine_in_the_cage_of_the_agents_unit_is_said(tmp_path, environ, child, said):
    troubles: dict[str, str] = {}
    Helpers(tmp_path, troubles, environ, engine_is_child=child)
    assert ('unit = "inferagent-engine.service"' in troubles.get("engine-in-cage", "")) is said
