"""A running agent tells its metrics at the control socket and, where that is wanted, over HTTP."""

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.agent_process import SleepyHost, sleepy_host, until

from inferagent.lab.demo.world import free_ports


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SleepyHost]:
    with sleepy_host(tmp_path) as made:
        yield made


def over_http(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        connection.close()


def over_the_socket(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5.0)
        link.connect(str(path))
        link.sendall(b"GET /metrics HTTP/1.1\r\nHost: agent\r\n\r\n")
        return b"".join(iter(lambda: link.recv(65536), b"")).decode()


def test_metrics_are_told_by_both_ways(host: SleepyHost) -> None:
    host.configure()
    (port,) = free_ports(1)
    with (host.config / "config.toml").open("a") as file:
        file.write(f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
    host.start()
    host.status()
    until(lambda: "inferagent_ticks_total" in over_http(port), "metrics over HTTP")
    said = over_the_socket(host.run / "control.sock")
    assert said.startswith("HTTP/1.1 200")
    assert "text/plain; version=0.0.4" in said
    assert 'inferagent_up_info{version="' in said
    assert 'inferagent_probe_failures_total{probe="engine"} ' in said


def test_nobody_listens_unless_it_is_wanted(host: SleepyHost) -> None:
    host.configure()
    host.start()
    assert host.status()["phase"] in ("out", "joining")
    assert "inferagent_phase" in over_the_socket(host.run / "control.sock")
