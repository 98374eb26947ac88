"""systemd is told where it listens, and asked to stop the unit; where it is not there, nothing breaks."""

import socket

import pytest

from inferagent.programs.container_outside import stop_unit, to_stderr, to_systemd


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path, monkeypatch, abstract):
    address = f"@{tmp_path}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{tmp_path}" if abstract else address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        to_systemd("READY=1", "STATUS=it runs")
        assert listener.recv(100) == b"READY=1\nSTATUS=it runs"


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_nobody_who_listens(monkeypatch, capsys, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    to_systemd("READY=1")
    to_stderr("it runs")
    assert capsys.readouterr().err == "it runs\n"


def test_a_unit_that_is_not_there_is_not_stopped():
    assert not stop_unit("inferagent-no-such.service")


def test_a_host_without_systemd(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not stop_unit("x.service")
