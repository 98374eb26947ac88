"""pull: the verdict as a monitor gets it, from a small server in place of the ready program."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inferagent.adapters.membership_pull import PullMembership
from inferagent.ports import PortError

BOUND = 100.0


class Stopped:
    at = 0.0

    def now(self) -> float:
        return self.at

    def boot(self) -> str:
        return ""

    def wall(self) -> str:
        return ""

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


@dataclass
class Rig:
    asked: Path
    clock: Stopped
    membership: PullMembership
    status: str = "200 OK"
    silent: bool = False
    path: str = ""

    def ask(self, second: int) -> None:
        """A monitor came, at this second of the wall clock."""
        self.asked.touch()
        os.utime(self.asked, (second, second))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.path = (await reader.readuntil(b"\r\n\r\n")).decode().split()[1]
        if not self.silent:
            writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()


@pytest.fixture
async def rig(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Rig]:
    asked, clock = tmp_path / "asked", Stopped()
    found = Rig(asked, clock, PullMembership("gpu-a", unused_tcp_port, asked, clock, BOUND, "m"))
    server = await asyncio.start_server(found.answer, "127.0.0.1", unused_tcp_port)
    yield found
    await found.membership.close()
    server.close()
    await server.wait_closed()


async def healthy(rig: Rig) -> bool | None:
    return (await rig.membership.read()).own.healthy


async def test_200_is_enabled_and_peers_cannot_be_seen(rig: Rig) -> None:
    view = await rig.membership.read()
    assert (view.own.name, view.own.enabled, view.own.machine, view.peers) == ("gpu-a", True, "m", None)
    assert rig.path == "/.inferagent/ready"
    rig.status = "503 Service Unavailable"
    assert not (await rig.membership.read()).own.enabled


async def test_healthy_once_a_monitor_asked_after_the_verdict_turned(rig: Rig) -> None:
    rig.ask(1)
    assert await healthy(rig) is None
    assert await healthy(rig) is None
    rig.ask(2)
    assert await healthy(rig) is True
    assert await healthy(rig) is True


async def test_a_monitor_that_saw_the_503_proves_nothing(rig: Rig) -> None:
    rig.ask(1)
    await healthy(rig)
    rig.ask(2)
    assert await healthy(rig) is True
    rig.status = "503 Service Unavailable"
    assert await healthy(rig) is None
    rig.ask(3)
    assert await healthy(rig) is None
    rig.status = "200 OK"
    assert await healthy(rig) is None
    rig.ask(4)
    assert await healthy(rig) is True


async def test_a_monitor_that_stopped_asking_says_nothing(rig: Rig) -> None:
    await healthy(rig)
    rig.ask(1)
    assert await healthy(rig) is True
    rig.clock.at += BOUND + 1
    assert await healthy(rig) is None
    rig.ask(2)
    assert await healthy(rig) is True


async def test_a_wall_clock_that_goes_back_is_no_matter(rig: Rig) -> None:
    rig.ask(1_000_000)
    await healthy(rig)
    rig.ask(5)
    assert await healthy(rig) is True


async def test_no_answer_is_unknown(rig: Rig) -> None:
    rig.silent = True
    with pytest.raises(PortError, match="cannot read the verdict"):
        await rig.membership.read()


async def test_a_push_changes_nothing(rig: Rig) -> None:
    await rig.membership.push(False)
    assert rig.path == ""
    assert (await rig.membership.read()).own.enabled
