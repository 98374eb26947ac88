"""Programs of the user's that hang, flood, fork and die: bounded in time and output, and never twice."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from tests.contract.units_bench import running, until

from inferagent.adapters import program
from inferagent.adapters.program import KEPT, MOST, Ended, Program, clean_environment, printable_lines
from inferagent.ports import PortError


def shell(script: str, deadline: float = 5.0, **environment: str) -> Program:
    return Program(["/bin/sh", "-c", script], deadline, environment)


def number(path: Path) -> int:
    """0 while nothing stands there."""
    return int(path.read_text().strip() or 0) if path.exists() else 0


async def written(path: Path) -> int:
    await until(lambda: bool(number(path)), path.name)
    return number(path)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_its_code_and_both_outputs_come_back():
    assert await shell("echo out; echo err >&2; exit 3").run() == Ended(3, b"out\n", b"err\n")


async def test_its_input_is_what_it_is_given():
    ended = await shell("cat; echo $MORE$EXTRA", MORE="a").run(b"x" * 20_000 + b"\n", {"EXTRA": "b"})
    assert ended.out == b"x" * KEPT
    assert (await shell("exit 0").run(b"nobody reads this")).code == 0


async def test_it_sees_none_of_our_environment_but_what_any_program_needs(monkeypatch):
    for name in ("TUNNEL_TOKEN", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "HF_TOKEN", "http_proxy"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    ended = await Program(["/usr/bin/env"], 5.0, {"INFERAGENT_CHECK": "x"}).run()
    given = dict(line.split("=", 1) for line in ended.out.decode().splitlines())
    assert "secret" not in given.values()
    assert (given["TZ"], given["INFERAGENT_CHECK"]) == ("Asia/Shanghai", "x")
    monkeypatch.delenv("PATH")
    assert clean_environment()["PATH"] == program.PATH


async def test_a_signal_is_a_negative_code_and_said():
    ended = await shell("kill -9 $$").run()
    assert (ended.code, ended.how) == (-9, "it was killed by signal 9")
    assert Ended(7, b"", b"").how == "it ended with code 7"


async def test_past_its_deadline_it_is_killed_with_all_it_started(tmp_path):
    begun = time.monotonic()
    with pytest.raises(PortError, match=r"cannot finish /bin/sh within 0.3 s"):
        await shell(f"trap '' TERM; sleep 77 & echo $! > {tmp_path}/pid; wait", 0.3).run()
    assert time.monotonic() - begun < 20
    grandchild = await written(tmp_path / "pid")
    await until(lambda: not running(grandchild), "the grandchild's end")


async def test_a_grandchild_that_holds_the_output_open_delays_nobody_and_does_not_stay(tmp_path):
    begun = time.monotonic()
    ended = await shell(f"echo said; sleep 77 & echo $! > {tmp_path}/pid; exit 1").run()
    assert (ended.code, ended.out) == (1, b"said\n")
    assert time.monotonic() - begun < 20
    grandchild = await written(tmp_path / "pid")
    await until(lambda: not running(grandchild), "the grandchild's end")


async def test_a_grandchild_in_a_session_of_its_own_delays_nobody(tmp_path):
    begun = time.monotonic()
    away = f"setsid sh -c 'echo $$ > {tmp_path}/pid; sleep 30' &"
    ended = await shell(f"{away} while [ ! -s {tmp_path}/pid ]; do sleep 0.02; done; echo said").run()
    assert ended.out == b"said\n"
    assert time.monotonic() - begun < 20
    os.kill(await written(tmp_path / "pid"), signal.SIGKILL)


async def test_a_flood_is_ended_soon_and_said():
    begun = time.monotonic()
    with pytest.raises(PortError, match="it writes more than 1 MiB"):
        await shell("yes flood").run()
    assert time.monotonic() - begun < 20


async def test_of_much_output_the_beginning_is_kept_and_the_program_not_hindered():
    ended = await shell(f"head -c {MOST // 2} /dev/zero | tr '\\0' a; echo b >&2; exit 2").run()
    assert (ended.code, ended.out, ended.err) == (2, b"a" * KEPT, b"b\n")


async def test_the_loop_goes_on_while_a_program_hangs_or_floods():
    ticks = 0

    async def count() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    counting = asyncio.ensure_future(count())
    for script in ("sleep 9", "yes"):
        with pytest.raises(PortError):
            await shell(script, 0.3).run()
    counting.cancel()
    assert ticks > 15


async def test_a_cancelled_run_leaves_nothing(tmp_path):
    run = asyncio.ensure_future(shell(f"echo $$ > {tmp_path}/pid; exec sleep 77").run())
    pid = await written(tmp_path / "pid")
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert not running(pid)


async def test_one_that_cannot_be_ended_is_not_run_again(monkeypatch, tmp_path):
    """A process stuck in the kernel ignores SIGKILL: here nobody sends it one."""

    class Unkilled(Program):
        async def _end(self, child, ended):
            self._stuck = child

    hung = Unkilled(["/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 77"], 0.2)
    with pytest.raises(PortError, match="cannot finish"):
        await hung.run()
    with pytest.raises(PortError, match="its last run cannot be ended"):
        await hung.run()
    os.kill(await written(tmp_path / "pid"), signal.SIGKILL)
    assert hung._stuck is not None
    await until(lambda: hung._stuck.poll() is not None, "its end")
    with pytest.raises(PortError, match="cannot finish"):
        await hung.run()
    hung._stuck.kill()
    hung._stuck.wait()


@pytest.mark.parametrize("name", ["/no/such", "/etc/hostname"])
async def test_what_cannot_be_started_is_said(name):
    with pytest.raises(PortError, match=f"cannot start {name}: ") as caught:
        await Program([name], 1.0).run()
    assert caught.value.refused


async def test_no_file_stays_open():
    before = open_files()
    for script in ("exit 1", "sleep 9", "yes"):
        await asyncio.gather(shell(script, 0.1).run(), return_exceptions=True)
    await asyncio.gather(Program(["/no/such"], 1.0).run(), return_exceptions=True)
    assert open_files() == before


def test_lines_are_printable_short_and_not_empty():
    content = b"\n  \n \x1b[31mred\x1b[0m\ttext \xff\n" + b"y" * 300 + b"\n"
    first, second = printable_lines(content)
    assert first == "[31mred [0m text �"
    assert (len(second), second[-1]) == (200, "…")
    assert Ended(0, b"\n", b"only here\n").lines() == ["only here"]
    assert Ended(0, b"here\n", b"not here\n").lines() == ["here"]
