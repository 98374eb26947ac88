"""Checks from settings: run at their pace into the board, and exchanged with the configuration."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.contract.units_bench import until

from inferagent.adapters.clock import BootClock
from inferagent.config.settings import Check, Settings
from inferagent.model.check import CheckView
from inferagent.model.health import Health
from inferagent.model.reading import Failed, Value
from inferagent.programs.checks import Checks
from inferagent.runtime.board import Board


def settings(*checks: dict[str, Any]) -> Settings:
    class Named:
        name = "gpu-a"

    return Settings.model_construct(host=Named(), check=tuple(Check(**one) for one in checks))


def shell(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "exec": ["/bin/sh", "-c", script], "every": "60s", **more}


def seen(board: Board) -> dict[str, CheckView]:
    return dict(board.snapshot(BootClock().now(), "b", ()).checks)


def says(board: Board, name: str, what: Callable[[CheckView], bool]) -> Callable[[], bool]:
    return lambda: name in seen(board) and what(seen(board)[name])


async def test_each_is_run_and_what_it_says_stands_on_the_board(tmp_path):
    board = Board(lambda: None)
    checks = Checks(
        BootClock(),
        board,
        settings(
            shell("disk", "echo full; exit 2"),
            shell("slow", "sleep 9", deadline="100ms", every="1s"),
        ),
        tmp_path,
    )
    running = asyncio.ensure_future(checks.run())
    await until(says(board, "disk", lambda view: isinstance(view.reading, Value)), "disk")
    await until(says(board, "slow", lambda view: isinstance(view.reading, Failed)), "slow")
    last = seen(board)["disk"].last
    assert last is not None
    assert (last.value.health, last.value.text) == (Health.UNHEALTHY, "full")
    reading = seen(board)["slow"].reading
    assert isinstance(reading, Failed)
    assert reading.reason == "cannot read the check slow: cannot finish /bin/sh within 0.1 s"

    checks.apply(settings(shell("gate", "exit 0")))
    await until(lambda: list(seen(board)) == ["gate"], "the others are forgotten")
    await until(says(board, "gate", lambda view: view.last is not None), "gate")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_it_is_run_again_at_its_pace(tmp_path):
    board = Board(lambda: None)
    count = tmp_path / "count"
    every = shell("x", f"echo >> {count}", every="1s", deadline="900ms")
    checks = Checks(BootClock(), board, settings(every), tmp_path)
    running = asyncio.ensure_future(checks.run())
    begun = BootClock().now()
    await until(lambda: count.exists() and len(count.read_text()) == 2, "twice")
    assert 0.9 < BootClock().now() - begun < 2.5
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
