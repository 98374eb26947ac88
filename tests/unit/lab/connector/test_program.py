"""What only a process of its own can show (kills, cuts, exit codes) is in the contract suite."""

import asyncio
import os
import signal
import socket

import pytest
from tests.support.edge_lab import TUNNEL, token_of, until

from inferagent.lab.connector.options import EarlyExitError, Options
from inferagent.lab.connector.program import _notify_ready, run


def options(cloud_edge, store, **more):
    given = {
        "token": token_of(store),
        "edge": tuple((host, int(port)) for host, port in (one.split(":") for one in cloud_edge.addresses)),
        "cacert": str(cloud_edge.ca_path),
        "metrics": "127.0.0.1:0",
        "json_logs": True,
    }
    return Options("run", **given | more)


async def test_a_signal_ends_it_in_an_orderly_way(edge, store, tmp_path, capsys):
    pidfile = tmp_path / "pid"
    async with asyncio.TaskGroup() as group:
        program = group.create_task(run(options(edge, store, pidfile=str(pidfile))))
        await until(lambda: len(store.connections.get(TUNNEL, [])) == 2, 10)
        assert pidfile.read_text() == str(os.getpid())
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await program == 0
    assert store.connections[TUNNEL] == []
    said = capsys.readouterr().err
    assert "Initiating graceful shutdown due to signal terminated" in said
    assert "Unregistered tunnel connection" in said


async def test_a_signal_before_the_first_registration_ends_it_at_once(edge, store, capsys):
    await edge.tunnels.set_state("hang")
    async with asyncio.TaskGroup() as group:
        program = group.create_task(run(options(edge, store)))
        await until(lambda: edge.tunnels._links, 10)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            assert await program == 0
    assert "Registered" not in capsys.readouterr().err


async def test_bad_starts(edge, store):
    with pytest.raises(EarlyExitError, match="cannot read the CA certificate"):
        await run(options(edge, store, cacert="/nonexistent"))
    with pytest.raises(EarlyExitError, match="cannot find an edge"):
        await run(options(edge, store, edge=()))


def test_systemd_is_told_once_ready(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        _notify_ready()
        assert listener.recv(100) == b"READY=1"
