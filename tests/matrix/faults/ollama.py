"""What strikes a running Ollama: its server, its runners, and who else is at its port."""

import signal
from collections.abc import Callable

from tests.matrix.fault import Fault, fault
from tests.matrix.faults.common import given
from tests.matrix.neighbour import Askers, User, plain, stream
from tests.matrix.ollama import (
    CONTEXT,
    api,
    ended,
    lasting,
    loaded,
    neighbour,
    through_tunnel,
    tunnel,
    unload,
)
from tests.matrix.runners import Hunter, Slow, stop, wait_for_load
from tests.matrix.stage import Stage

from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.processes import Program, kill

RELOADED = 5.0  # seconds from the end of a runner until the next request is answered for certain


@fault("ollama-kill-runner")
class KillRunner(Fault):
    async def strike(self, stage: Stage) -> None:
        runner = stage.host.worker()
        assert runner is not None, "no model is loaded"
        kill(runner.pid)

    async def check(self, stage: Stage) -> list[str]:
        """What was asked later meets a runner again."""
        late = [one for one in stage.outcomes() if one.cause and one.start > stage.struck + RELOADED]
        return [f"{one.cause} {one.start - stage.struck:.1f} s after the kill" for one in late]


@fault("ollama-kill-runners")
class KillRunners(KillRunner):
    """Each new one dies during its load, as where memory or driver fails it."""

    hunter: Hunter

    async def strike(self, stage: Stage) -> None:
        self.hunter = hunter(stage, self.later)
        await super().strike(stage)

    def later(self, pid: int) -> None:
        """In the hunter's thread."""
        wait_for_load(pid)
        kill(pid)

    async def heal(self, stage: Stage) -> None:
        self.hunter.end()

    async def check(self, stage: Stage) -> list[str]:
        return [] if len(self.hunter.met) > 1 else ["fewer than two loads were struck"]


@fault("ollama-hang-load")
class HangLoad(Fault):
    """The runner goes and the next one stops while it loads."""

    hunter: Hunter

    async def strike(self, stage: Stage) -> None:
        self.hunter = hunter(stage, stop, most=1)
        await KillRunner().strike(stage)

    async def heal(self, stage: Stage) -> None:
        self.hunter.end()

    async def check(self, stage: Stage) -> list[str]:
        return [] if self.hunter.met else ["no load was met"]


@fault("ollama-stop-serve")
class StopServe(Fault):
    async def strike(self, stage: Stage) -> None:
        kill(stage.host.pid("engine"), signal.SIGSTOP)


@fault("ollama-unloaded")
class Unloaded(Fault):
    """Nobody asks, keep_alive runs out, somebody asks again."""

    wants_traffic = False

    async def before(self, stage: Stage) -> None:
        given(stage.host, OLLAMA_KEEP_ALIVE="2s")

    async def strike(self, stage: Stage) -> None:
        await self._unloaded(stage)

    async def heal(self, stage: Stage) -> None:
        """It was left unloaded all the while; whoever comes next waits for the load and gets his answer."""
        names = await loaded(stage)
        assert not names, f"somebody has loaded {', '.join(names)}, though nobody asked"
        user = through_tunnel(stage, plain(4))
        await ended(stage, [user], 30)
        assert not user.problem, user.problem
        await self._unloaded(stage)

    async def _unloaded(self, stage: Stage) -> None:
        async def gone() -> bool:
            return not await loaded(stage)

        await stage.until(gone, "keep_alive has run out")


class Slowly(Fault):
    """A load that takes long and goes on: of the real one a gigabyte of memory, by a machine that gives its
    runner little time."""

    seconds = 20.0
    share = 0.03
    hunter: Hunter
    slow: Slow

    async def before(self, stage: Stage) -> None:
        many = {"OLLAMA_NUM_PARALLEL": "256", "OLLAMA_CONTEXT_LENGTH": "8192"}
        given(stage.host, LAB_LOAD_SECONDS=f"{self.seconds:.0f}", **many)

    def begin(self, stage: Stage) -> None:
        self.slow = Slow(self.share if stage.host.engine.real else 1.0)
        stage.endings.callback(self.slow.end)
        self.hunter = hunter(stage, self.slow.hold)

    def end(self) -> None:
        self.hunter.end()
        self.slow.end()


@fault("ollama-slow-load")
class SlowLoad(Slowly):
    """Of a host that serves, after keep_alive."""

    wants_traffic = False
    user: User

    async def strike(self, stage: Stage) -> None:
        await unload(stage)
        self.begin(stage)
        self.user = through_tunnel(stage, plain(4))

    async def heal(self, stage: Stage) -> None:
        held = self.user.ended is None
        self.end()
        await ended(stage, [self.user], 60)
        assert not self.user.problem, self.user.problem
        assert held, "the load was over too soon to show anything"


@fault("ollama-slow-start")
class SlowStart(Slowly):
    """Of a host that starts."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        self.begin(stage)

    async def heal(self, stage: Stage) -> None:
        self.end()

    async def check(self, stage: Stage) -> list[str]:
        return [] if len(self.hunter.met) == 1 else [f"{len(self.hunter.met)} loads were begun"]


@fault("ollama-long-generation")
class LongGeneration(Fault):
    """One request at a time, and the one that is at work takes long and says nothing until its end."""

    wants_traffic = False
    seconds = 40.0

    def __init__(self) -> None:
        self.users: list[User] = []
        self.slow = Slow(1.0)

    async def before(self, stage: Stage) -> None:
        lab = {"LAB_TOKENS_PER_SECOND": "20", "LAB_BURN": "0.2"}
        given(stage.host, OLLAMA_NUM_PARALLEL="1", OLLAMA_CONTEXT_LENGTH=str(CONTEXT), **lab)

    async def strike(self, stage: Stage) -> None:
        tokens, self.slow = await lasting(stage, self.seconds)
        first = through_tunnel(stage, plain(tokens, 120))

        async def taken() -> bool:
            return bool((await stage.status()).get("in_flight_tunnel"))

        await stage.until(taken, "the long request is at work", 10)
        self.users = [first, neighbour(stage, plain(4, 120)), through_tunnel(stage, stream(4, 120))]

    async def heal(self, stage: Stage) -> None:
        waiting = self.users[0].ended is None
        self.slow.end()
        await ended(stage, self.users, 90)
        assert waiting, "the long request was over too soon to show anything"

    async def check(self, stage: Stage) -> list[str]:
        return [user.problem for user in self.users if user.problem]


@fault("ollama-busy")
class Busy(Fault):
    """More ask than may wait. Each asks for another context, so that the real one has to load again and
    again: it counts only those who wait for a load."""

    wants_traffic = False
    crowd: Askers

    async def before(self, stage: Stage) -> None:
        given(stage.host, OLLAMA_NUM_PARALLEL="1", OLLAMA_MAX_QUEUE="1", LAB_TOKENS_PER_SECOND="20")

    async def strike(self, stage: Stage) -> None:
        port, host = tunnel(stage)

        def body(number: int) -> dict[str, object]:
            options = {"num_predict": 20, "num_ctx": 1024 * (1 + number % 3)}
            return {"model": PUBLIC_NAME, "prompt": "a lamp", "stream": False, "options": options}

        self.crowd = Askers(port, host, "/api/generate", body).ask()

    async def heal(self, stage: Stage) -> None:
        self.crowd.end()

    async def check(self, stage: Stage) -> list[str]:
        got = self.crowd.statuses
        missing = [f"nobody got {status}" for status in (200, 503) if not got[status]]
        return missing + [f"{got[status]}× status {status}" for status in got if status not in (200, 503)]


@fault("ollama-port-taken")
class PortTaken(Fault):
    """Another Ollama, nobody's unit, answers at the port with the same model."""

    waits_for_serving = False
    other: Program

    async def strike(self, stage: Stage) -> None:
        engine = stage.host.engine
        log = stage.host.folder / "other.log"
        self.other = await Program.start(list(engine.command), dict(engine.environment), log)
        stage.endings.push_async_callback(self.other.end)

        async def answers() -> bool:
            try:
                return (await api(stage, "GET", "/api/version"))[0] == 200
            except OSError:
                return False

        await stage.until(answers, "the other Ollama answers")

    async def heal(self, stage: Stage) -> None:
        await self.other.end()


def hunter(stage: Stage, deed: Callable[[int], None], most: int = 1000) -> Hunter:
    """Of the struck host's runners; it ends with the row."""
    made = Hunter(lambda: stage.host.pid("engine"), deed, most).begin()
    stage.endings.callback(made.end)
    return made
