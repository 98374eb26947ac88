"""Two hosts, a vLLM and an Ollama, in one fleet under noise that is health; with the users' day and night."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

from tests.fleet.api import WINDOW, Account
from tests.fleet.engine import Request
from tests.fleet.fleet import STEP, Fleet, Shape, Watcher
from tests.fleet.host import Host
from tests.fleet.life import WatchedLoop
from tests.fleet.noise.engines import Noisy, NoisyOllama, NoisyVllm
from tests.fleet.noise.schedule import Episode, rate
from tests.fleet.noise.spells import DEEDS, SPELLS

from inferagent.model.decision import Decision
from inferagent.model.desired import EngineKind
from inferagent.model.phase import Label, Phase

KINDS = (EngineKind.VLLM, EngineKind.OLLAMA)
LAPSE = 8.0  # seconds; a look is known for ten
BEFORE = 15.0  # seconds in which looks are frequent again before anything happens


class TerseLoop(WatchedLoop):
    """Builds its report only when the decision says something else than before: the trace reads decisions."""

    said: tuple[Phase, Label | None, tuple[str, ...]] | None = None
    slack = 0.0  # seconds between two ticks at least, while nothing wakes it

    def _tick_or_log(self) -> float:
        return max(self.slack, super()._tick_or_log())

    def _report(self, decision: Decision) -> None:
        said = decision.phase, decision.label, tuple(cause.code for cause in decision.causes)
        if said != self.said:
            self.said = said
            super()._report(decision)


class QuietAccount(Account):
    """Counts calls without keeping a month of them."""

    def count(self) -> None:
        now = self.now()
        if self.calls and self.calls[0] <= now - 2 * WINDOW:
            self.calls = [at for at in self.calls if at > now - WINDOW]
        super().count()


class NoisyFleet(Fleet):
    """The world moves only where something is due; `on` of a host's engine says which noise goes on there."""

    loop_class = TerseLoop

    def __init__(self, shape: Shape, watchers: list[Watcher], seed: int) -> None:
        super().__init__(shape, watchers)
        self.account = QuietAccount(self.edge, lambda: self.now)
        self.stirred = asyncio.Event()
        self.seed = seed
        self.log: list[tuple[str, str, float, float]] = []  # host, noise, from, to
        self.awake = {host.name: 0.0 for host in self.hosts}
        self.phases = Random(f"{seed} phases")
        for number, host in enumerate(self.hosts):
            random = Random(f"{seed} engine {number}")
            make = NoisyVllm if host.terms.engine is EngineKind.VLLM else NoisyOllama
            host.engine = make(host.clock.now, random)
            host.engine.lost = host._lost

    # time-lapse: where nothing goes on, looks are far apart, for there is nothing to see between them

    def rouse(self, host: Host, seconds: float = 20.0) -> None:
        """Something goes on: look as often as a host does. When exactly, what goes on cannot choose."""
        self.awake[host.name] = max(self.awake[host.name], self.now + seconds)
        self.later(self.phases.uniform(0.0, 2.0), lambda: _wake(host))

    def _calm(self, host: Host, decision: Decision) -> bool:
        over = self.now > self.awake[host.name] and not any(self.noisy(host).on.values())
        return over and decision.phase is Phase.SERVING and not decision.causes and _rests(host)

    def _pace(self, host: Host, pace: Callable[[Decision], None], decision: Decision) -> None:
        assert host.life is not None
        loop, probes = host.life.loop, host.life.probes
        assert isinstance(loop, TerseLoop)
        calm = self._calm(host, decision)
        loop.slack = LAPSE if calm else 0.0
        host.life.board.changed = _nothing if calm else loop.woken.set  # what says nothing new wakes nobody
        pace(replace(decision, pace=replace(decision.pace, look=LAPSE)) if calm else decision)
        probes["gpus"].set_pace(LAPSE if calm else 5.0)
        probes["host"].set_pace(10.0 if not calm else 2 * LAPSE)

    def note(self, host: Host, kind: str, detail: object = None) -> None:
        super().note(host, kind, detail)
        if kind == "agent up" and host.life is not None:
            host.life.loop.pace = partial(self._pace, host, host.life.loop.pace)

    async def _world(self) -> None:
        while True:
            if all(map(_rests, self.hosts)):
                self.stirred.clear()
                await self._idle(min([5.0, *self._looks()]))
            else:
                await asyncio.sleep(STEP)
                for host in self.hosts:
                    if not _rests(host):
                        host.step(STEP)
            self.edge.look(self.now)

    def _looks(self) -> list[float]:
        return [max(0.1, pool.next_look - self.now) for pool in self.edge.pools if pool.enabled]

    async def _idle(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.stirred.wait()
        except TimeoutError:
            return

    def noisy(self, host: Host) -> Noisy:
        assert isinstance(host.engine, Noisy)
        return host.engine

    def ask(self, host: Host, request: Request) -> None:
        """A user whom the edge sends here, as long as it sends anybody."""
        if request.lan or (host.pool.enabled and host.pool.healthy):
            self.sent += 1
            host.take(request)
            self._stir()

    def send(self, request: Request, location: int | None = None) -> None:
        super().send(request, location)
        self._stir()

    def _stir(self) -> None:
        self.stirred.set()
        for host in self.hosts:
            if not _rests(host):
                self.rouse(host)

    # noise

    async def live(self, noise: list[Episode]) -> None:
        """Every episode in its time."""
        for episode in noise:
            await asyncio.sleep(max(0.0, episode.at - BEFORE - self.now))
            for host in self.hosts:
                self.rouse(host)
            await asyncio.sleep(max(0.0, episode.at - self.now))
            self.begin(episode)

    def begin(self, episode: Episode) -> None:
        host = self.hosts[episode.host]
        self.log.append((host.name, episode.name, self.now, self.now + episode.seconds))
        if episode.name in DEEDS:
            DEEDS[episode.name](self, host, self._random(episode))
        if episode.name in SPELLS or episode.seconds:
            self.turn(host, episode.name, True)
            self.later(episode.seconds, lambda: self.turn(host, episode.name, False))
        if episode.name == "burst":
            self.spawn(self._burst(episode))
        self.stirred.set()

    def turn(self, host: Host, name: str, on: bool) -> None:
        """Noise of one kind may overlap with itself, and with a fault that does the same."""
        counts = self.noisy(host).on
        counts[name] += 1 if on else -1
        assert counts[name] >= 0
        if counts[name] == int(on) and name in SPELLS:
            SPELLS[name](self, host, on)
            self.stirred.set()

    def _random(self, episode: Episode) -> Random:
        return Random(f"{self.seed} {episode}")

    async def _burst(self, episode: Episode) -> None:
        """More users than there are places, for a while."""
        random, end = self._random(episode), self.now + episode.seconds
        pace = random.uniform(0.5, 3.0)
        while self.now < end:
            self.send(Request(random.expovariate(1.0 / 8.0)))
            await asyncio.sleep(random.expovariate(pace))

    async def users(self) -> None:
        random = Random(f"{self.seed} users")
        while True:
            await asyncio.sleep(random.expovariate(rate(self.now)))
            self.send(Request(random.expovariate(1.0 / 6.0)))


def _nothing() -> None:
    """What a reading does that nobody waits for."""


def _wake(host: Host) -> None:
    if host.life is not None:
        host.life.loop.woken.set()


def _rests(host: Host) -> bool:
    engine = host.engine
    rests = isinstance(engine, Noisy) and engine.at_rest() and host._refused is None
    return rests and engine.fine_for() >= 0.0
