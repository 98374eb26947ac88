"""The operator takes an Ollama host out and stops its engine: whoever still gets an answer gets it whole."""

import socket

from tests.matrix.fault import Fault, fault
from tests.matrix.faults.common import given
from tests.matrix.neighbour import User, stream
from tests.matrix.ollama import CONTEXT, lasting, neighbour, through_tunnel
from tests.matrix.runners import Slow
from tests.matrix.stage import Stage


class StopEngine(Fault):
    """`drain --stop-engine`, later `resume`."""

    async def strike(self, stage: Stage) -> None:
        words = ("drain", "--config", str(stage.host.config), "--stop-engine", "--reason", "matrix")
        await stage.host.command(*words)

    async def heal(self, stage: Stage) -> None:
        """Also after a row that failed: the host is to come back."""
        try:
            await self.stopped(stage, 25)
        finally:
            await stage.host.command("resume", "--config", str(stage.host.config))

    async def stopped(self, stage: Stage, seconds: float) -> None:
        async def gone() -> bool:
            return not stage.host.pid("engine")

        await stage.until(gone, "the engine is stopped", seconds)


class DuringStream(StopEngine):
    """While a stream of `seconds` is under way."""

    seconds = 14.0
    user: User

    def __init__(self) -> None:
        self.slow = Slow(1.0)

    async def before(self, stage: Stage) -> None:
        given(stage.host, OLLAMA_CONTEXT_LENGTH=str(CONTEXT))

    def ask(self, stage: Stage, tokens: int) -> User:
        raise NotImplementedError

    async def strike(self, stage: Stage) -> None:
        tokens, self.slow = await lasting(stage, self.seconds)
        self.user = self.ask(stage, tokens)

        async def begun() -> bool:
            return self.user.seen.chunks > 0

        await stage.until(begun, "the stream has begun", 15)
        await super().strike(stage)

    async def stopped(self, stage: Stage, seconds: float) -> None:
        async def over() -> bool:
            return self.user.ended is not None or stage.now > stage.struck + 2 * self.seconds

        await stage.until(over, "the stream has ended, or has lasted long enough", 3 * self.seconds)
        self.slow.end()
        await super().stopped(stage, seconds)

    async def check(self, stage: Stage) -> list[str]:
        user = self.user
        if user.problem:
            return [user.problem]
        held = user.ended is not None and stage.out is not None and user.ended > stage.out
        return [] if held else ["the stream was over too soon to show anything"]


@fault("ollama-drain-lan-stream")
class LanStream(DuringStream):
    def ask(self, stage: Stage, tokens: int) -> User:
        return neighbour(stage, stream(tokens))


@fault("ollama-drain-stream")
class TunnelStream(DuringStream):
    def ask(self, stage: Stage, tokens: int) -> User:
        return through_tunnel(stage, stream(tokens))


@fault("ollama-drain-idle-lan")
class IdleLan(StopEngine):
    """A neighbour who has got his answer keeps his connection open: he holds nothing up."""

    open: socket.socket

    async def strike(self, stage: Stage) -> None:
        self.open = socket.create_connection(("127.0.0.1", stage.host.engine_port), 10)
        self.open.sendall(b"GET /api/version HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in self.open.recv(4096), "the engine did not answer"
        await super().strike(stage)

    async def stopped(self, stage: Stage, seconds: float) -> None:
        try:
            await super().stopped(stage, seconds)
        finally:
            self.open.close()
