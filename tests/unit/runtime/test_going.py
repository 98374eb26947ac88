import asyncio
import json

import pytest
from tests.support.agent import Agent
from tests.support.virtual import run

from inferagent.model.desired import Mode
from inferagent.model.phase import Phase
from inferagent.policy.judge_host import CALLED_OFF
from inferagent.runtime.desk import handle


def phase(agent: Agent) -> Phase:
    return Phase(agent.status.phase)


def test_the_host_leaves_and_does_not_come_back():
    agent = Agent()

    async def story() -> None:
        async with agent.running(60.0):
            assert phase(agent) is Phase.SERVING
            assert agent.loop.going(25.0).ok
            await asyncio.sleep(24.0)
            assert (phase(agent), agent.pool.enabled) == (Phase.OUT, False)
            await asyncio.sleep(60.0)
            assert (phase(agent), agent.pool.enabled) == (Phase.OUT, False)

    run(story())


def test_a_host_that_still_lives_a_minute_after_its_time_comes_back():
    agent = Agent()

    async def story() -> None:
        async with agent.running(60.0):
            agent.loop.going(25.0)
            await asyncio.sleep(84.0)
            assert agent.status.root_code == "host-going"
            await asyncio.sleep(300.0)
            assert (agent.loop.desired.going_until, phase(agent)) == (None, Phase.SERVING)

    run(story())


def test_resume_says_that_the_shutdown_was_called_off():
    agent = Agent()

    async def story() -> None:
        async with agent.running(60.0):
            agent.loop.going(600.0)
            await asyncio.sleep(30.0)
            assert (phase(agent), agent.status.cure) == (Phase.OUT, CALLED_OFF)
            assert agent.loop.resume().ok
            await asyncio.sleep(120.0)
            assert (agent.loop.desired.going_until, phase(agent)) == (None, Phase.SERVING)

    run(story())


def test_requests_that_never_end_do_not_hold_the_host():
    agent = Agent(in_flight=3)

    async def story() -> None:
        async with agent.running(60.0):
            agent.loop.going(25.0)
            await asyncio.sleep(25.0)
            assert phase(agent) is Phase.OUT

    run(story())


def test_an_observer_does_not_leave():
    agent = Agent()

    async def story() -> None:
        async with agent.running(60.0):
            agent.resettle(mode=Mode.OBSERVE)
            answer = agent.loop.going(25.0)
            assert (answer.ok, agent.loop.desired.going_until) == (False, None)

    run(story())


@pytest.mark.parametrize(
    "body", [{}, {"seconds": 0}, {"seconds": "5"}, {"seconds": -1}, {"seconds": 5, "x": 1}]
)
async def test_a_request_that_cannot_be_meant(body):
    class Nobody:
        def going(self, seconds: float) -> None:
            raise AssertionError(f"asked to go within {seconds}")

    code, _ = await handle(Nobody(), "POST", "/v1/going", json.dumps(body).encode())  # type: ignore[arg-type]
    assert code == 400
