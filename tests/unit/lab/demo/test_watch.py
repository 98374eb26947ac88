"""The live view: what it shows of hosts that answer and of those that do not."""

import asyncio
import io

import pytest
from rich.console import Console
from tests.support import virtual
from tests.support.demo_fakes import FakeHost, FakeWorld

from inferagent.lab.demo.watch import Watch, console
from inferagent.lab.traffic import Traffic


def watch(*hosts: FakeHost, terminal: bool = False) -> Watch:
    screen = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    return Watch(FakeWorld(*hosts), Traffic("http://nobody", "chat", [], 1.0), screen)


async def seen_for(made: Watch, seconds: float) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run(stop))
        await asyncio.sleep(seconds)
        stop.set()


def test_without_a_screen_each_change_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    host = FakeHost("gcp")
    made = watch(host, FakeHost("home", agent=False))

    async def story() -> None:
        asyncio.get_running_loop().call_later(2.0, setattr, host, "phase", "out")
        await seen_for(made, 4.0)

    virtual.run(story())
    lines = [line.partition(" s ")[2].split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["gcp", "serving:", "so", "it", "is"],
        ["home", "the", "agent", "does", "not", "answer"],
        ["gcp", "out:", "so", "it", "is"],
    ]
    assert made.documents["home"] is None


def test_a_chapter_is_said_with_the_time_since_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    made = watch(FakeHost("gcp"))

    async def story() -> None:
        await asyncio.sleep(5.0)
        made.say("— one")
        await asyncio.sleep(7.0)
        made.say("— two")

    virtual.run(story())
    assert capsys.readouterr().out.splitlines() == ["   0.0 s  — one", "   7.0 s  — two"]


def test_on_a_screen_a_table_is_kept_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    made = watch(FakeHost("gcp"), FakeHost("home", agent=False), terminal=True)
    made.say("— drain")
    virtual.run(seen_for(made, 1.0))
    shown = made.console.file.getvalue()  # type: ignore[attr-defined]
    assert "— drain   0 requests, 0 failed" in shown
    assert "serving: so it is" in shown
    assert "the agent does not answer" in shown
    assert capsys.readouterr().out == ""


def test_the_console_of_a_pipe_is_wide_enough_for_the_table() -> None:
    assert console().width == 120
