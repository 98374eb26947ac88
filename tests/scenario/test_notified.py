"""A real agent, killed at the worst moments, whose web receiver is down, mute and back: two messages.

Its engine never becomes ready, which is the illness; the operator's hold ends it.
"""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.agent_process import DEADLINE, SleepyHost, sleepy_host
from tests.support.web_receiver import OK, WebReceiver, answer

from inferagent.cli.client import ask, operator_socket
from inferagent.lab.demo.world import free_ports

EXTRA = """
[notify]
webhook = "http://127.0.0.1:{port}/hook"
exec = ["/bin/sh", "-c", "cat >> {folder}/told; echo >> {folder}/told"]
after = "1s"
[[check]]
name = "gate"
exec = ["/bin/sh", "-c", "echo gate is ajar; exit 1"]
every = "1s"
deadline = "900ms"
"""


async def until(holds: Callable[[], bool], what: str) -> None:
    end = asyncio.get_running_loop().time() + DEADLINE
    while not holds():
        assert asyncio.get_running_loop().time() < end, f"not within {DEADLINE:.0f} s: {what}"
        await asyncio.sleep(0.02)


def told(folder: Path) -> list[str]:
    """The ids that the program was given."""
    file = folder / "told"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line)["id"] for line in lines if line]


def shown(ids: list[str]) -> list[str]:
    """Each once, in their order: what was taken as the agent was killed comes again, by its id."""
    return list(dict.fromkeys(ids))


def kinds(ids: list[str]) -> list[str]:
    return [one.rpartition("-")[2] for one in ids]


class Scenario:
    def __init__(self, host: SleepyHost) -> None:
        self.host, self.folder = host, host.folder
        (self.port,) = free_ports(1)
        host.configure()
        (host.config / "conf.d").mkdir()
        text = EXTRA.format(port=self.port, folder=self.folder)
        (host.config / "conf.d" / "notify.toml").write_text(text)
        self.agent = host.start()

    def kill_and_start(self) -> None:
        self.host.stop(self.agent, signal.SIGKILL)
        self.agent = self.host.start()

    async def order(self, path: str, fields: dict[str, object]) -> bool:
        await asyncio.to_thread(self.host.status)
        reply = await asyncio.to_thread(ask, operator_socket(self.host.config), "POST", path, fields)
        return reply.ok


async def play(host: SleepyHost) -> tuple[list[str], list[str], set[str]]:
    """The ids that the program and the web receiver got, and the findings on the way."""
    scenario, receiver = Scenario(host), WebReceiver(answer("503 Busy"))
    await until(lambda: bool(told(host.folder)), "the program is told that an episode opened")
    findings = {one["code"] for one in (await asyncio.to_thread(host.status))["findings"]}
    scenario.kill_and_start()  # the web receiver has been down, and then fails
    async with receiver.open(scenario.port):
        await until(lambda: len(receiver.taken) > 0, "it is asked again")
        receiver.says = None  # takes it and says nothing
        scenario.kill_and_start()
        await until(lambda: len(receiver.taken) > 1, "it is asked by the next agent")
        assert await scenario.order("/v1/drain", {"last": True})
        await until(lambda: len(set(told(host.folder))) == 2, "the program is told that it is over")
        receiver.says = OK
        before = len(receiver.taken)
        scenario.kill_and_start()
        await until(lambda: len(receiver.taken) == before + 2, "both messages are taken")
        scenario.kill_and_start()
        assert await scenario.order("/v1/notify/test", {}) is True
        return told(host.folder), [json.loads(body)["id"] for body in receiver.taken[before:]], findings


@pytest.mark.timeout(120)
def test_two_messages_an_episode_whatever_befalls_agent_and_receiver(tmp_path):
    with sleepy_host(tmp_path) as host:
        by_exec, by_web, findings = asyncio.run(play(host))
    assert kinds(shown(by_exec)) == kinds(shown(by_web)) == ["opened", "over", "test"]
    assert shown(by_exec)[:2] == shown(by_web)[:2]
    assert len(by_exec) <= 5
    assert "check:gate" in findings
