"""The operator's word on GPU faults, said to the real loop."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from tests.support.agent import Agent
from tests.support.fakes import FakePool
from tests.support.virtual import run

from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.kernel import KernelFault, KernelLook
from inferagent.model.reading import Value
from inferagent.runtime.clearing import clear_fault, fault_sheet

FELL = KernelFault(
    "0000:01:00", "lost", "fell off the bus", "reboot", "XID 79", 41.0, "12:03:11", 41.0, "12:03:11", 70, 1
)
TEXT = "GPU 1 fell off the bus (XID 79, 12:03:11)"


def play(story: Callable[[Agent], Awaitable[None]], kind: type[Agent] = Agent) -> Agent:
    async def whole() -> Agent:
        agent = kind(pool=FakePool(enabled=False))
        async with agent.running(40.0):
            await story(agent)
        return agent

    return run(whole())


async def hears(agent: Agent, fault: KernelFault = FELL, sequence: int = 80) -> None:
    agent.board.put("kernel")(Value(KernelLook((fault,), sequence=sequence), agent.clock.now()))
    await asyncio.sleep(1.0)


@dataclass
class LostGpu(Agent):
    """Its driver says from second 40 on that its GPU is lost."""

    gpu: bool = True

    async def look_gpus(self) -> GpuReport:
        now = self.clock.now()
        return GpuReport((Gpu(1, "", "L4", "00000000:01:00.0", fault="lost" if now >= 40.0 else ""),))


def texts(agent: Agent) -> list[str]:
    return [row.text for row in fault_sheet(agent.loop).faults]


def test_a_line_of_the_kernel_takes_the_host_out_and_the_operator_s_word_lets_it_back() -> None:
    async def story(agent: Agent) -> None:
        assert agent.status.phase == "serving"
        await hears(agent)
        assert agent.verdict.told[-1] is False
        assert agent.status.root_cause == TEXT
        assert agent.status.cure == "sudo systemctl reboot"
        await asyncio.sleep(200.0)
        assert agent.status.phase == "out"
        assert "waiting for a reboot" in agent.status.sentence
        assert texts(agent) == [TEXT]
        answer = clear_fault(agent.loop, "1")
        assert (answer.ok, answer.message) == (True, f"cleared: {TEXT}")
        assert agent.state.saved.faults == ()
        assert agent.state.saved.cleared[0].sequence == 80
        await asyncio.sleep(300.0)
        assert agent.status.phase == "serving"
        assert texts(agent) == []

    assert play(story).pool.writes == [True, False, True]


def test_a_newer_line_brings_it_back_and_the_old_one_does_not() -> None:
    async def story(agent: Agent) -> None:
        await hears(agent)
        clear_fault(agent.loop, "")
        await hears(agent)
        assert texts(agent) == []
        later = replace(FELL, sequence=81, last_at=agent.clock.now(), last_clock="12:10:00")
        await hears(agent, later, 81)
        assert texts(agent) == ["GPU 1 fell off the bus (XID 79, 12:10:00)"]

    play(story)


def test_what_the_driver_still_says_is_said_at_once_and_comes_back_with_its_next_word() -> None:
    async def story(agent: Agent) -> None:
        await asyncio.sleep(1.0)
        answer = clear_fault(agent.loop, "1")
        assert answer.message == (
            'cleared: GPU 1 is lost to its driver; the driver of GPU 1 said "lost" 1 s ago: its next word'
            " decides"
        )
        await asyncio.sleep(1.0)
        assert texts(agent) == []
        await asyncio.sleep(5.0)
        assert texts(agent) == ["GPU 1 is still lost to its driver, though it was cleared"]

    play(story, LostGpu)


def test_what_is_not_there_cannot_be_cleared() -> None:
    async def story(agent: Agent) -> None:
        assert clear_fault(agent.loop, "").message == "no fault stands"
        await hears(agent)
        answer = clear_fault(agent.loop, "7")
        assert (answer.ok, answer.message) == (False, "cannot clear 7: no fault of such a GPU stands")
        assert answer.cure == "inferagent fault list"
        assert texts(agent) == [TEXT]

    play(story)


def test_a_word_that_cannot_be_saved_says_so() -> None:
    async def story(agent: Agent) -> None:
        await hears(agent)
        agent.state.full = True
        answer = clear_fault(agent.loop, "")
        assert answer.ok
        assert answer.message.endswith("the state cannot be saved: with the agent it may come back")
        assert texts(agent) == []

    play(story)


def test_an_agent_that_has_just_started_answers_too() -> None:
    async def begin() -> None:
        agent = Agent()
        assert fault_sheet(agent.loop).faults == ()
        assert clear_fault(agent.loop, "").message == "no fault stands"

    run(begin())
