"""sd_notify: READY once, then a sentence and the watchdog with every tick; children cannot speak."""

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.runtime.test_report import Phase, scene, status

from inferagent.runtime.notify import Notifier


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        os.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        yield listener
        os.environ.pop("NOTIFY_SOCKET", None)


def test_ready_comes_once_and_the_sentence_each_time(systemd: socket.socket) -> None:
    notifier, document = Notifier(), status(scene(Phase.SERVING))
    notifier.tell(document)
    assert systemd.recv(1000).decode().splitlines() == ["READY=1", "WATCHDOG=1", "STATUS=serving"]
    notifier.tell(document)
    assert systemd.recv(1000).decode().splitlines() == ["WATCHDOG=1", "STATUS=serving"]
    notifier.close()


def test_a_sentence_says_nothing_else_to_systemd(systemd: socket.socket) -> None:
    notifier = Notifier()
    notifier.tell(replace(status(scene(Phase.SERVING)), sentence="out: the engine said\nSTOPPING=1"))
    assert systemd.recv(1000).decode().splitlines()[-1] == "STATUS=out: the engine said STOPPING=1"
    notifier.close()


def test_a_sentence_in_any_script_feeds_the_watchdog(systemd: socket.socket) -> None:
    notifier = Notifier()
    notifier.tell(replace(status(scene(Phase.SERVING)), sentence="held by the operator: 维护 …"))
    told = systemd.recv(1000).decode().splitlines()
    assert told == ["READY=1", "WATCHDOG=1", "STATUS=held by the operator: 维护 …"]
    notifier.close()


def test_a_systemd_that_reads_nothing_stops_nobody(systemd: socket.socket) -> None:
    notifier, document = Notifier(), status(scene(Phase.SERVING))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"x", systemd.getsockname())
    notifier.tell(document)  # would never return
    while select.select([systemd], [], [], 0)[0]:
        assert systemd.recv(1000) == b"x"
    notifier.tell(document)
    assert systemd.recv(1000).startswith(b"READY=1"), "what nobody took is said again"
    notifier.close()


def test_a_reload_tells_its_begin_by_the_monotonic_clock_and_its_end(systemd: socket.socket) -> None:
    notifier = Notifier()
    notifier.reloading(True)
    notifier.tell(status(scene(Phase.SERVING)))
    assert systemd.recv(1000).decode().startswith("READY=1"), "nothing before the first READY"
    before = time.monotonic_ns() // 1000
    notifier.reloading(True)
    first, second = systemd.recv(1000).decode().splitlines()
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    notifier.reloading(False)
    assert systemd.recv(1000) == b"READY=1"
    notifier.close()


def test_children_do_not_inherit_the_socket(systemd: socket.socket) -> None:
    notifier = Notifier()
    assert "NOTIFY_SOCKET" not in os.environ
    notifier.close()


def test_without_systemd_nothing_happens() -> None:
    os.environ.pop("NOTIFY_SOCKET", None)
    notifier = Notifier()
    assert notifier.tell(status(scene(Phase.SERVING))) is None
    notifier.close()
