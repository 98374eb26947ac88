import asyncio
import json

import pytest
from tests.support.agent import Agent
from tests.support.virtual import run

from inferagent.model.desired import Mode
from inferagent.model.phase import Phase
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
            await asyncio.sleep(600.0)
            assert (phase(agent), agent.pool.enabled) == (Phase.OUT, False)

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
