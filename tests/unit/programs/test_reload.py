"""Taking up a changed configuration: what is applied, what waits for a restart, what changes nothing."""

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.agent import Agent

from inferagent.config.load import Loaded, load
from inferagent.config.settings import Settings
from inferagent.programs.reload import PATIENCE, RESTART, Reloader, apply_live, differing, is_live

CONFIG = """
mode = "act"
[agent]
run = "{0}/run"
state = "{0}/state"
[host]
name = "gpu-home"
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["vllm", "serve", "model"]
serves = {{ chat = "model" }}
[connector]
command = ["cloudflared"]
hostname = "gpu-home.example.com"
[membership]
kind = "pull"
{1}
"""


def write(folder: Path, more: str = "") -> None:
    (folder / "config.toml").write_text(CONFIG.format(folder, more))


@dataclass
class Told:
    """What the agent's parts and systemd have been told."""

    applied: list[Settings] = field(default_factory=list)
    systemd: list[bool] = field(default_factory=list)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def reloader(tmp_path: Path, told: Told) -> Reloader:
    write(tmp_path)
    settings = load(tmp_path).settings
    assert settings is not None
    return Reloader(tmp_path, settings, [told.applied.append], told.systemd.append)


async def test_nothing_new_applies_nothing(reloader: Reloader, told: Told) -> None:
    answer = await reloader.reload()
    assert (answer.ok, answer.message, answer.cure) == (True, "nothing has changed", "")
    assert (told.applied, told.systemd) == ([], [True, False])


async def test_live_keys_are_applied_and_named(reloader: Reloader, told: Told, tmp_path: Path) -> None:
    write(tmp_path, '[drain]\nsettle = "20s"\n[limits]\njoins_per_hour = 9\n[probe]\ngpus = "9s"')
    answer = await reloader.reload()
    assert answer.message == "applied: drain.settle, limits.joins_per_hour, probe.gpus"
    assert answer.cure == ""
    (applied,) = told.applied
    assert (applied.drain.settle, applied.limits.joins_per_hour, applied.probe.gpus) == (20.0, 9, 9.0)
    assert (await reloader.reload()).message == "nothing has changed"


async def test_what_is_made_at_the_start_needs_a_restart_and_stays_as_it_was(
    reloader: Reloader, told: Told, tmp_path: Path
) -> None:
    write(tmp_path, '[ready]\nport = 8888\n[probe]\nmembership = "20s"\nlook = "1s"')
    text = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(text.replace("8000", "8001").replace('"act"', '"observe"'))
    answer = await reloader.reload()
    assert answer.message == (
        "applied: probe.look; needs a restart: mode, engine[0].url, ready.port, probe.membership"
    )
    assert (answer.ok, answer.cure) == (True, RESTART)
    (applied,) = told.applied
    assert (applied.ready.port, applied.mode, applied.probe.membership) == (8790, "act", 15.0)
    assert applied.probe.look == 1.0
    again = await reloader.reload()
    assert again.message == "needs a restart: mode, engine[0].url, ready.port, probe.membership"
    assert len(told.applied) == 1


async def test_a_configuration_with_errors_is_refused_with_all_of_them(
    reloader: Reloader, told: Told, tmp_path: Path
) -> None:
    write(tmp_path, '[drain]\nsettle = "20s"\nnonsense = 1\ndeadline = "soon"')
    answer = await reloader.reload()
    assert (answer.ok, answer.cure) == (False, "inferagent config check")
    assert answer.message.startswith("cannot reload, the old configuration goes on: ")
    assert "2 errors" in answer.message
    assert f"{tmp_path}/config.toml:" in answer.message
    assert (told.applied, told.systemd) == ([], [True, False])


async def test_a_configuration_that_is_gone_is_refused(reloader: Reloader, tmp_path: Path) -> None:
    (tmp_path / "config.toml").unlink()
    assert "there is no configuration in" in (await reloader.reload()).message


async def test_what_is_right_only_with_the_restart_is_refused(
    reloader: Reloader, told: Told, tmp_path: Path
) -> None:
    write(tmp_path, '[probe]\nmembership = "40s"\nfresh = "50s"')
    assert (await reloader.reload()).ok
    write(tmp_path, '[probe]\nmembership = "10s"\nfresh = "12s"')
    answer = await reloader.reload()
    assert (answer.ok, answer.cure) == (False, RESTART)
    assert "without a restart, 15s must be less than probe.fresh (12s)" in answer.message
    assert len(told.applied) == 1


async def test_a_disk_that_hangs_is_given_up(reloader: Reloader) -> None:
    stuck = threading.Event()

    def hangs(folder: Path) -> Loaded:
        stuck.wait()
        raise AssertionError("nobody waits for this any more")

    async def soon() -> str:
        with_less = Reloader(reloader.folder, reloader.settings, [], read=hangs, patience=0.05)
        return (await with_less.reload()).message

    assert "cannot be read within" in await soon()
    stuck.set()
    assert PATIENCE < 5.0, "the asker is answered before it gives up"


async def test_sighup_reloads_each_time(reloader: Reloader, told: Told, tmp_path: Path) -> None:
    hangup, applied = asyncio.Event(), asyncio.Event()
    reloader.apply.append(lambda settings: applied.set())
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(reloader.watch(hangup))
        for settle in (11, 12):
            write(tmp_path, f'[drain]\nsettle = "{settle}s"')
            hangup.set()
            await asyncio.wait_for(applied.wait(), 5)
            applied.clear()
            assert told.applied[-1].drain.settle == settle
        watching.cancel()
    assert len(told.applied) == 2


async def test_the_policy_s_numbers_and_the_paces_follow(reloader: Reloader, tmp_path: Path) -> None:
    agent = Agent()
    probes = dict.fromkeys(("the host", "the GPUs"), agent.probes["gpus"])
    probes["a generation"] = agent.probes["generation"]
    agent.loop.woken.clear()
    write(tmp_path, '[drain]\nsettle = "20s"\n[probe]\ngpus = "9s"\ngeneration_deadline = "7s"')
    settings = load(tmp_path).settings
    assert settings is not None
    before = agent.loop.desired
    apply_live(settings, agent.loop, probes)
    assert agent.loop.desired.terms.settle == 20.0
    assert agent.loop.desired.terms.made_by_setup is before.terms.made_by_setup
    assert agent.loop.desired.mode is before.mode
    assert probes["the GPUs"].pace == 9.0
    assert agent.probes["generation"].deadline == 26.0
    assert agent.loop.woken.is_set()


@pytest.mark.parametrize(
    ("key", "live"),
    [
        ("drain.settle", True),
        ("limits.hold_off", True),
        ("probe.look", True),
        ("check", True),
        ("check[0].every", True),
        ("notify.after", True),
        ("probe.membership", False),
        ("mode", False),
        ("engine[0].url", False),
        ("agent.run", False),
        ("membership.alone", False),
    ],
)
def test_which_keys_are_live(key: str, live: bool) -> None:
    assert is_live(key) is live


def test_lists_of_tables_are_compared_one_by_one(reloader: Reloader, tmp_path: Path) -> None:
    text = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(text.replace('chat = "model"', 'talk = "model"'))
    new = load(tmp_path).settings
    assert new is not None
    assert list(differing(reloader.settings, new)) == ["engine[0].serves"]
