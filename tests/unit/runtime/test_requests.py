"""What the operator asks: drain for a while, lend the GPU, resume; on the real loop in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from tests.support.agent import Agent
from tests.support.fakes import FakePool, FakeState
from tests.support.virtual import run, wall

from inferagent.model.desired import Mode, Terms
from inferagent.model.gpu import GpuProcess
from inferagent.model.membership import MembershipKind
from inferagent.model.saved import Saved
from inferagent.model.unit import UnitState
from inferagent.runtime.desk import Answer, DrainRequest, LendRequest

AWHILE = 1200.0
XORG = GpuProcess(50, 200_000_000, "graphics", "Xorg", (40, 1))
BLENDER = GpuProcess(4242, 11_000_000_000, "compute", "blender", (60, 1))


def play(story: Callable[[Agent], Awaitable[None]], made: Agent | None = None, seconds: float = 40) -> Agent:
    async def whole() -> Agent:
        agent = made or Agent(gpu=True, others=(XORG,))
        async with agent.running(seconds):
            await story(agent)
        return agent

    return run(whole())


def after(agent: Agent, **changes: object) -> Agent:
    """The next agent of the same host."""
    return replace(agent, documents=[], **changes)


def noted(agent: Agent) -> Saved:
    assert agent.state.saved is not None
    return agent.state.saved


# drain --for


def test_a_drain_for_a_while_ends_by_itself_and_says_when() -> None:
    async def story(agent: Agent) -> None:
        answer = agent.loop.drain(DrainRequest(reason="backup", lasts=AWHILE))
        assert answer == Answer(True, "held: out until 12:20, in 20m")
        await asyncio.sleep(600)
        status = agent.status
        assert (status.phase, status.label, status.exit_code) == ("out", "held", 0)
        assert status.sentence.endswith("held by the operator until 12:20: backup")
        assert status.hold_until == wall(40 + AWHILE)
        assert status.hold_left == pytest.approx(AWHILE - 600, abs=6)
        await asyncio.sleep(AWHILE - 610)
        assert agent.status.label == "held"
        await asyncio.sleep(60)
        assert (agent.status.phase, agent.status.hold, agent.status.hold_until) == ("serving", "", "")
        assert agent.status.hold_left is None
        assert agent.state.hold is None

    agent = play(story)
    assert agent.engine.deeds == []


def test_resume_ends_it_before_its_time() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.drain(DrainRequest(lasts=AWHILE))
        await asyncio.sleep(60)
        assert agent.loop.resume().ok
        await asyncio.sleep(60)
        assert agent.status.phase == "serving"

    assert play(story).state.hold is None


def test_a_later_word_replaces_the_earlier_one() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.drain(DrainRequest(lasts=60.0))
        await asyncio.sleep(30)
        assert agent.loop.drain(DrainRequest()).message == "held: out until `inferagent resume`"
        await asyncio.sleep(AWHILE)
        assert agent.status.label == "held"

    play(story)


def test_an_agent_that_was_away_when_it_ended_comes_back() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.drain(DrainRequest(lasts=60.0))
        await asyncio.sleep(30)

    old = play(story)

    async def late(agent: Agent) -> None:
        assert agent.loop.desired.hold is None

    async def away() -> Agent:
        await asyncio.sleep(AWHILE)
        agent = after(old)
        async with agent.running(60):
            await late(agent)
        return agent

    assert run(away()).status.phase == "serving"


TAKES = "; a drain takes up to "


@pytest.mark.parametrize(
    ("kind", "request_", "said"),
    [
        (MembershipKind.OWN_POOL, DrainRequest(lasts=AWHILE), ""),
        (MembershipKind.OWN_POOL, DrainRequest(lasts=60.0), f"{TAKES}15m here"),
        (MembershipKind.OWN_POOL, DrainRequest(lasts=60.0, deadline=30.0), ""),
        (MembershipKind.OWN_POOL, DrainRequest(), ""),
        (MembershipKind.PULL, DrainRequest(lasts=120.0), f"{TAKES}4m here, and 15m while requests still run"),
        (MembershipKind.PULL, DrainRequest(lasts=60.0, deadline=120.0), f"{TAKES}2m here"),
        (MembershipKind.PULL, LendRequest(120.0), f"{TAKES}4m here, and 15m while requests still run"),
        (MembershipKind.PULL, LendRequest(AWHILE), ""),
    ],
)
def test_an_end_before_that_of_the_drain_is_warned_of(kind, request_, said) -> None:
    async def story(agent: Agent) -> None:
        ask = agent.loop.drain if isinstance(request_, DrainRequest) else agent.loop.lend
        message = ask(request_).message
        assert message.endswith(said)
        assert bool(said) is (TAKES in message)

    terms = Terms(made_by_setup=True, membership=kind)
    play(story, Agent(terms=terms, pool=FakePool(enabled=True), gpu=True, others=(XORG,)))


def test_who_is_out_already_is_warned_of_no_drain() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.drain(DrainRequest())
        await asyncio.sleep(60)
        assert TAKES not in agent.loop.drain(DrainRequest(lasts=60.0)).message

    play(story)


def test_a_refusal_repeats_the_wish_with_its_cure() -> None:
    async def story(agent: Agent) -> None:
        agent.pool.peers = ()
        await asyncio.sleep(60)
        refused = agent.loop.drain(DrainRequest(lasts=2 * AWHILE))
        assert (refused.ok, refused.cure) == (False, "inferagent drain --for 40m --last")

    play(story)


# lend


def test_lending_stops_the_engine_says_what_that_frees_and_ends_by_itself() -> None:
    async def story(agent: Agent) -> None:
        answer = agent.loop.lend(LendRequest(AWHILE, "play"))
        assert answer.ok
        assert answer.message == (
            "lent until 12:20, in 20m: drains, stops the engine, which frees 18 GB on GPU 0; "
            "comes back by itself, once the GPU is free"
        )
        assert not agent.status.lent
        await asyncio.sleep(60)
        assert (agent.engine.deeds, agent.pool.enabled) == (["stop"], False)
        assert (agent.status.label, agent.status.lent, agent.status.exit_code) == ("held", True, 0)
        assert agent.status.sentence.endswith("lent until 12:20: play")
        await asyncio.sleep(AWHILE)
        assert agent.engine.deeds == ["stop", "start"]
        assert (agent.status.phase, agent.status.lent) == ("serving", False)

    play(story)


def test_it_does_not_come_back_while_somebody_who_was_not_there_is_on_the_gpu() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.lend(LendRequest(AWHILE))
        await asyncio.sleep(60)
        agent.others = (XORG, BLENDER)
        await asyncio.sleep(1.5 * AWHILE)
        status = agent.status
        assert (status.phase, status.label, status.hold, status.exit_code) == ("out", "waiting", "", 0)
        assert status.sentence == "out, waiting: GPU 0 is used by blender (pid 4242, 11 GB)"
        assert agent.engine.deeds == ["stop"]
        agent.others = (replace(XORG, pid=51),)  # another desktop, the same name
        await asyncio.sleep(60)
        assert agent.engine.deeds == ["stop", "start"]
        assert agent.status.phase == "serving"

    play(story)


def test_a_process_that_was_there_at_the_last_join_is_in_nobody_s_way() -> None:
    async def story(agent: Agent) -> None:
        assert noted(agent).residents == ("Xorg", "blender")
        agent.loop.lend(LendRequest(AWHILE))
        await asyncio.sleep(AWHILE + 60)
        assert agent.status.phase == "serving"

    play(story, Agent(gpu=True, others=(XORG, BLENDER)))


def test_resume_waits_for_the_gpu_once_and_the_second_one_does_not() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.lend(LendRequest(AWHILE))
        await asyncio.sleep(60)
        agent.others = (BLENDER,)
        await asyncio.sleep(10)
        answer = agent.loop.resume()
        assert answer.ok
        assert answer.message.startswith(
            "resumed: joins when the GPU is free: GPU 0 is used by blender (pid 4242, 11 GB); "
        )
        await asyncio.sleep(60)
        assert agent.status.label == "waiting"
        assert agent.loop.resume().message == "resumed: joins once a generation has proven the engine"
        await asyncio.sleep(60)
        assert agent.status.phase == "serving"

    play(story)


def test_what_nobody_can_see_keeps_nobody_out_and_is_said_while_it_is_lent() -> None:
    async def story(agent: Agent) -> None:
        agent.others = None
        await asyncio.sleep(10)
        answer = agent.loop.lend(LendRequest(AWHILE))
        assert "cannot tell who uses GPU 0: cannot list the processes" in answer.message
        await asyncio.sleep(60)
        assert "gpu-users-unknown" in [finding.code for finding in agent.status.findings]
        assert agent.status.exit_code == 0
        await asyncio.sleep(AWHILE)
        assert agent.status.phase == "serving"
        assert "gpu-users-unknown" not in [finding.code for finding in agent.status.findings]

    play(story)


def test_a_restart_of_the_agent_forgets_neither_the_lending_nor_who_is_waited_for() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.lend(LendRequest(AWHILE))
        await asyncio.sleep(60)
        agent.others = (BLENDER,)

    old = play(story)

    async def later() -> None:
        agent = after(old)
        agent.engine.state = replace(agent.engine.state, state=UnitState.STOPPED, incarnation="", main_pid=0)
        await asyncio.sleep(200)
        async with agent.running(60):
            assert (agent.status.label, agent.status.lent) == ("held", True)
            await asyncio.sleep(AWHILE)
            assert agent.status.label == "waiting"
            assert agent.engine.deeds == []
            agent.others = ()
            await asyncio.sleep(60)
            assert agent.status.phase == "serving"

    run(later())


@pytest.mark.parametrize("peers", [(), None])
def test_the_last_endpoint_is_lent_only_with_last(peers: tuple[()] | None) -> None:
    async def story(agent: Agent) -> None:
        agent.pool.peers = peers
        await asyncio.sleep(60)
        refused = agent.loop.lend(LendRequest(90 * 60.0))
        assert (refused.ok, refused.cure) == (False, "inferagent lend --for 1h30m --last")
        assert "lending needs --last" in refused.message
        assert agent.state.hold is None
        assert agent.loop.lend(LendRequest(AWHILE, last=True)).ok
        await asyncio.sleep(120)
        assert agent.engine.deeds == ["stop"]

    play(story)


def test_not_even_while_it_is_out_for_another_reason() -> None:
    """A drain may be said of a host that is out: it takes nothing away. An engine that is lent is away."""

    async def story(agent: Agent) -> None:
        agent.engine.die(UnitState.MISSING)
        agent.pool.peers = ()
        await asyncio.sleep(120)
        assert agent.status.phase == "out"
        refused = agent.loop.lend(LendRequest(AWHILE))
        assert (refused.ok, agent.state.hold) == (False, None)
        assert agent.loop.drain(DrainRequest()).ok

    play(story)


def test_the_only_host_by_configuration_needs_last_too() -> None:
    async def story(agent: Agent) -> None:
        assert not agent.loop.lend(LendRequest(AWHILE)).ok
        assert agent.loop.lend(LendRequest(AWHILE, last=True)).ok

    play(story, Agent(gpu=True, terms=Terms(made_by_setup=True, alone=True)))


def test_observe_mode_lends_nothing() -> None:
    async def story(agent: Agent) -> None:
        agent.resettle(mode=Mode.OBSERVE)
        refused = agent.loop.lend(LendRequest(AWHILE))
        assert (refused.ok, refused.cure) == (False, 'mode = "act" in config.toml')

    play(story)


def test_before_the_first_tick_nothing_is_lent() -> None:
    async def asked() -> Answer:
        return Agent().loop.lend(LendRequest(AWHILE))

    answer = run(asked())
    assert not answer.ok
    assert "has just started" in answer.message


def test_a_lending_that_cannot_be_written_is_obeyed_and_said() -> None:
    async def story(agent: Agent) -> None:
        agent.state.full = True
        answer = agent.loop.lend(LendRequest(AWHILE))
        assert answer.ok
        assert "ends with this boot" in answer.message
        await asyncio.sleep(60)
        assert agent.pool.enabled is False
        assert agent.engine.deeds == [], "nothing is stopped that is not on disk (S12)"
        agent.state.full = False
        await asyncio.sleep(60)
        assert agent.engine.deeds == ["stop"]

    play(story, Agent(gpu=True, state=FakeState()))
