"""The loop: it joins by proof, leaves at once whatever hangs, saves before it joins, and keeps its word."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.agent import Agent
from tests.support.fakes import FakeVerdict
from tests.support.virtual import run

from inferagent.model.desired import Mode
from inferagent.model.unit import UnitState
from inferagent.ports import PortError
from inferagent.runtime.control import Answer, DrainRequest


def play(
    agent_made: Callable[[], Agent], story: Callable[[Agent], Awaitable[None]], seconds: float = 40
) -> Agent:
    async def whole() -> Agent:
        agent = agent_made()
        async with agent.running(seconds):
            await story(agent)
        return agent

    return run(whole())


async def nothing(_agent: Agent) -> None:
    return


def test_a_proven_host_joins_and_serves() -> None:
    agent = play(Agent, nothing)
    assert (agent.status.phase, agent.pool.writes) == ("serving", [True])
    assert (agent.verdict.told[0], agent.verdict.told[-1]) == (False, True)


def test_the_state_is_saved_before_the_verdict_lets_users_in() -> None:
    agent = play(Agent, nothing)
    order = agent.state.order
    assert order.index("save joining") < order.index("verdict 200")


def test_a_killed_engine_leaves_in_the_same_moment() -> None:
    async def story(agent: Agent) -> None:
        agent.state.order.clear()
        agent.engine.die(UnitState.RESTARTING)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert agent.verdict.told[-1] is False
        assert agent.state.order[:2] == ["verdict 503", "save draining"]
        await asyncio.sleep(agent.pool.latency + 0.01)
        assert agent.pool.writes == [True, False]

    play(Agent, story)


def test_hung_looks_and_a_hung_api_hold_up_no_decision() -> None:
    async def story(agent: Agent) -> None:
        agent.pool.hung = True
        await asyncio.sleep(60)
        begun = agent.clock.now()
        agent.engine.die(UnitState.RESTARTING)
        await asyncio.sleep(0.01)
        assert agent.status.phase == "draining"
        assert agent.clock.now() - begun < 0.1

    play(Agent, story)


def test_a_full_disk_forbids_the_join_but_not_the_leaving() -> None:
    def full() -> Agent:
        agent = Agent()
        agent.state.full = True
        return agent

    agent = play(full, nothing)
    assert (agent.status.phase, agent.pool.writes) == ("out", [])
    assert "state-not-saved" in [finding.code for finding in agent.status.findings]

    async def story(agent: Agent) -> None:
        agent.state.full = True
        agent.engine.die(UnitState.RESTARTING)
        await asyncio.sleep(1)
        assert agent.pool.writes == [True, False]

    assert play(Agent, story).verdict.told[-1] is False


def test_a_disk_that_has_room_again_lets_it_join() -> None:
    def full() -> Agent:
        agent = Agent()
        agent.state.full = True
        return agent

    async def story(agent: Agent) -> None:
        agent.state.full = False
        await asyncio.sleep(60)

    assert play(full, story).status.phase == "serving"


def test_without_saved_state_no_verdict_is_told_before_the_pool_was_read() -> None:
    def blind() -> Agent:
        agent = Agent()
        agent.pool.hung = True
        return agent

    async def story(agent: Agent) -> None:
        assert agent.verdict.told == []
        agent.engine.die()
        await asyncio.sleep(1)
        assert set(agent.verdict.told) == {False}  # a dead engine serves nobody, whatever the pool says
        await agent.engine.start()
        agent.pool.hung = False
        await asyncio.sleep(60)
        assert agent.verdict.told[-1] is True

    assert play(blind, story).status.phase == "serving"


def test_leaving_on_a_full_disk_writes_once() -> None:
    async def story(agent: Agent) -> None:
        agent.state.full = True
        agent.engine.die(UnitState.RESTARTING)
        await asyncio.sleep(3)

    assert play(Agent, story).pool.writes == [True, False]


def test_drain_is_on_disk_before_it_is_answered_and_ends_only_by_resume() -> None:
    async def story(agent: Agent) -> None:
        answer = agent.loop.drain(DrainRequest(reason="backup"))
        assert answer.ok
        assert agent.state.hold is not None
        assert agent.state.hold.reason == "backup"
        await asyncio.sleep(3600)
        assert (agent.status.phase, agent.status.label) == ("out", "held")
        assert agent.status.exit_code == 0
        assert agent.loop.resume().ok
        assert agent.state.hold is None
        await asyncio.sleep(60)
        assert agent.status.phase == "serving"

    play(Agent, story)


def test_a_hold_survives_the_agent() -> None:
    async def story(agent: Agent) -> None:
        agent.loop.drain(DrainRequest())
        await asyncio.sleep(60)

    old = play(Agent, story)

    def again() -> Agent:
        return Agent(state=old.state, pool=old.pool)

    agent = play(again, nothing, 120)
    assert (agent.status.label, agent.pool.enabled) == ("held", False)


def test_a_hold_that_cannot_be_written_is_said_and_obeyed() -> None:
    async def story(agent: Agent) -> None:
        agent.state.full = True
        answer = agent.loop.drain(DrainRequest())
        assert answer.ok
        assert "ends with this boot" in answer.message
        await asyncio.sleep(60)
        assert agent.pool.enabled is False

    play(Agent, story)


def test_the_last_endpoint_needs_last() -> None:
    async def story(agent: Agent) -> None:
        agent.pool.peers = ()
        await asyncio.sleep(60)
        refused = agent.loop.drain(DrainRequest())
        assert (refused.ok, agent.state.hold) == (False, None)
        assert "--last" in refused.cure
        assert agent.loop.drain(DrainRequest(last=True)).ok
        await asyncio.sleep(30)
        assert agent.pool.enabled is False

    play(Agent, story)


def test_a_drain_before_the_first_tick_is_to_be_tried_again() -> None:
    """Nothing is known yet: --last would be a wrong advice."""

    async def asked() -> Answer:
        return Agent().loop.drain(DrainRequest())

    answer = run(asked())
    assert (answer.ok, answer.cure) == (False, "inferagent drain")
    assert "has just started" in answer.message


def test_observe_mode_refuses_to_drain_and_writes_nothing() -> None:
    async def story(agent: Agent) -> None:
        agent.resettle(mode=Mode.OBSERVE)
        await asyncio.sleep(5)
        writes = list(agent.pool.writes)
        assert not agent.loop.drain(DrainRequest()).ok
        agent.engine.die()
        await asyncio.sleep(300)
        assert (agent.pool.writes, agent.engine.deeds) == (writes, [])

    play(Agent, story)


def test_an_api_that_comes_back_gets_the_leaving_write() -> None:
    async def story(agent: Agent) -> None:
        agent.pool.lost = True
        agent.engine.die(UnitState.MISSING)
        await asyncio.sleep(120)
        assert agent.pool.enabled
        agent.pool.lost = False
        await asyncio.sleep(20)
        assert agent.pool.enabled is False

    play(Agent, story)


def test_a_hung_engine_under_load_is_restarted_only_once_out() -> None:
    async def story(agent: Agent) -> None:
        agent.in_flight, agent.well = 2, False
        await asyncio.sleep(20)
        assert (agent.status.phase, agent.pool.enabled, agent.engine.deeds) == ("draining", False, [])
        await asyncio.sleep(75)
        assert agent.engine.deeds == ["restart", "start"]
        agent.in_flight, agent.well = 0, True
        await asyncio.sleep(120)
        assert agent.status.phase == "serving"

    play(Agent, story)


def test_an_engine_that_hung_while_idle_is_found_by_those_who_wait_at_the_connector() -> None:
    async def story(agent: Agent) -> None:
        agent.in_flight, agent.well, agent.counted = 2, False, False
        await asyncio.sleep(20)
        assert (agent.status.phase, agent.pool.enabled) == ("draining", False)

    play(Agent, story)


def test_only_what_changes_is_published_with_a_sentence() -> None:
    agent = play(Agent, nothing)
    assert agent.documents[-1].sentence == "serving"
    assert {document.phase for document in agent.documents} == {"out", "joining", "serving"}


def test_a_verdict_that_got_lost_is_put_back() -> None:
    """The port knows what stands there; the loop remembers nothing as already told."""

    async def story(agent: Agent) -> None:
        agent.verdict.told.clear()
        await asyncio.sleep(10)
        assert agent.verdict.told
        assert set(agent.verdict.told) == {True}

    play(Agent, story)


def test_a_verdict_that_cannot_be_written_is_a_finding_until_it_can() -> None:
    class Full(FakeVerdict):
        def write(self, ready: bool, phase: str) -> None:
            raise PortError("cannot write the verdict: no space left on device")

    def codes(agent: Agent) -> list[str]:
        return [finding.code for finding in agent.status.findings]

    async def story(agent: Agent) -> None:
        well, agent.loop.verdict = agent.loop.verdict, Full()
        await asyncio.sleep(15)
        assert "verdict-not-written" in codes(agent)
        agent.loop.verdict = well
        await asyncio.sleep(15)
        assert codes(agent) == []

    play(Agent, story)


def test_a_bug_in_a_tick_does_not_end_the_agent() -> None:
    def broken() -> Agent:
        agent = Agent()
        agent.loop.publish = lambda _document: 1 / 0  # type: ignore[assignment, return-value]
        return agent

    async def story(agent: Agent) -> None:
        assert agent.loop.bugs > 0
        agent.loop.publish, agent.loop.bugs = agent.documents.append, 0
        await asyncio.sleep(40)
        assert agent.status.phase == "serving"

    play(broken, story, 20)


def killed(hold: bool) -> Agent:
    """The next agent after one that told 503, and was killed before it had saved that it leaves."""

    async def story(agent: Agent) -> None:
        if hold:
            assert agent.loop.drain(DrainRequest(stop_engine=True)).ok

    old = play(Agent, story)
    assert old.state.saved is not None
    assert (old.state.saved.phase, old.state.hold is not None) == ("serving", hold)
    new = Agent(pool=old.pool, state=old.state)
    new.verdict.told.append(False)
    new.state.order.clear()
    return new


def test_a_hold_is_kept_from_the_first_word_of_an_agent_that_knows_no_peer_yet() -> None:
    new = killed(hold=True)
    play(lambda: new, nothing)
    assert True not in new.verdict.told
    assert new.status.phase == "out"


def test_a_leaving_that_was_not_saved_ends_by_a_proof_once_its_cause_is_over() -> None:
    new = killed(hold=False)
    play(lambda: new, nothing)
    order = new.state.order
    assert order.index("save draining") < order.index("save joining") < order.index("verdict 200")


def test_the_write_of_a_leaving_that_was_not_saved_is_nobody_elses() -> None:
    new = killed(hold=False)
    new.pool.enabled = False
    assert play(lambda: new, nothing).status.phase == "serving"
