"""The agent as its control sockets see it: each request goes to whoever can answer it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.status import Status
from inferagent.ports import PortError
from inferagent.runtime.clearing import clear_fault, fault_sheet
from inferagent.runtime.desk import Answer, DrainRequest, LendRequest
from inferagent.runtime.loop import Loop


def no_metrics() -> str:
    raise PortError("cannot tell metrics: this agent has none")


async def no_notices() -> Answer:
    return Answer(False, "cannot send a message: nobody is to be told", "[notify] in config.toml")


@dataclass
class FrontDesk:
    """The desk of a configured host."""

    loop: Loop
    reload_all: Callable[[], Awaitable[Answer]]
    tell_metrics: Callable[[], str] = no_metrics
    send_test: Callable[[], Awaitable[Answer]] = no_notices

    def status(self) -> Status | None:
        return self.loop.status()

    def metrics(self) -> str:
        return self.tell_metrics()

    def drain(self, request: DrainRequest) -> Answer:
        return self.loop.drain(request)

    def lend(self, request: LendRequest) -> Answer:
        return self.loop.lend(request)

    def resume(self) -> Answer:
        return self.loop.resume()

    def going(self, seconds: float) -> Answer:
        return self.loop.going(seconds)

    def faults(self) -> FaultSheet:
        return fault_sheet(self.loop)

    def clear_fault(self, gpu: str) -> Answer:
        return clear_fault(self.loop, gpu)

    async def reload(self) -> Answer:
        return await self.reload_all()

    async def notify_test(self) -> Answer:
        return await self.send_test()
