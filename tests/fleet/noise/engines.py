"""Healthy engines at their worst, as far as health goes: long steps, cold loads, and looks that show half.

A vLLM stands still for one step at most (here up to 11 s: one chunk of a long prompt), and all that it
counts moves when a step ends. An Ollama stands still for up to 26 s of a load. Looks show what the adapters
would make of it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from tests.fleet.engine import MB, PATIENCE, QUEUE, Engine, Request

from inferagent.model.desired import EngineKind
from inferagent.model.engine import EngineLook, Load, Outcome, Progress, Warmup
from inferagent.model.reading import Failed, NotAvailable, Reading, Value

CHUNK = (1.0, 9.9)  # seconds of one step of a long prefill; the simulator's own step adds up to one
STALL = (4.0, 25.0)  # of a load, or of a long answer of an Ollama
KEEP = 300.0
SOON = 5.0  # within the deadline of a question


@dataclass(slots=True)
class Prompt(Request):
    """A request whose first `prefill` seconds are reading a long prompt, alone in the step's budget."""

    prefill: float = 0.0

    def reads(self) -> bool:
        return self.work - self.left < self.prefill


class Noisy(Engine):
    """`on` counts the episodes of noise that are going on, by kind. Some noise strikes a single look."""

    def __init__(self, kind: EngineKind, now: Callable[[], float], slots: int, random: Random) -> None:
        super().__init__(kind, now, slots)
        self.on: Counter[str] = Counter()
        self.random = random
        self.hidden: frozenset[str] = frozenset()
        self.base: dict[str, float] = {}
        self.once: set[str] = set()
        self.right = True
        self.still_until, self.owed = 0.0, 0.0
        self.counts: dict[str, float] = {}
        self.cpu = 0.0

    def renewed(self) -> None:
        super().renewed()
        self.still_until, self.owed, self.base = 0.0, 0.0, {}
        self.counts = dict.fromkeys(self.counts, 0.0)

    def at_rest(self) -> bool:
        """Nothing changes in it but by what is done to it."""
        return not (self.running or self.waiting) and self.would_answer()

    def in_flight(self, *, lan: bool) -> int:
        """The connector counts the streams of every name."""
        return super().in_flight(lan=lan) + (0 if lan else self.on["stream"])

    def _give_up(self, now: float) -> None:
        """Nobody waits longer than the edge lets a silent answer be."""
        if not self.waiting and not self.hung():
            return
        places = (self.running, self.waiting) if self.hung() else (self.waiting,)
        for place in places:
            for request in [one for one in place if now - one.born > PATIENCE]:
                place.remove(request)
                self.lost(request, "no answer")

    # what a look shows

    def look(self) -> EngineLook:
        if not self.alive or not self.accepts() or self.sight.blind:
            return super().look()
        now = self._now()
        if "refused" in self.once:
            self.once.discard("refused")
            ill = Failed("the port refuses", now)
            return EngineLook(Value(False, now), ill, ill, ill, NotAvailable(now), ill)
        look = self._seen(now)
        if "model" in self.once:
            self.once.discard("model")
            look = replace(look, models=Value(frozenset({"other"}), now))
        return self._torn(look, now) if self.on["torn"] else look

    def _seen(self, now: float) -> EngineLook:
        raise NotImplementedError

    def _models(self, now: float) -> Reading[frozenset[str]]:
        return Value(frozenset({"other" if self.ills.no_model else "chat"}), now)

    def _progress(self, now: float) -> Reading[Progress]:
        if self.on["none"]:
            return NotAvailable(now)
        if self.on["processes"]:  # a load moves nothing else: it could not be told from a hang
            return Failed("cannot read the runner's CPU time", now)
        base, hidden = self.base, self.hidden
        shown = ((name, value - base.get(name, 0.0)) for name, value in self.counts.items())
        return Value(Progress(tuple(pair for pair in shown if pair[0] not in hidden)), now)

    def _torn(self, look: EngineLook, now: float) -> EngineLook:
        """An answer cut anywhere: some of it is there, the rest is not."""
        ill = Failed("a torn answer", now)
        cut = self.random.randrange(4)
        if cut == 0:
            return replace(look, progress=ill, load=ill, lan=ill)
        if cut == 1:
            return replace(look, load=ill if isinstance(look.load, Value) else look.load, models=ill)
        if cut == 2 and isinstance(look.progress, Value):
            some = look.progress.value.signature[: self.random.randrange(1, 4)]
            load = ill if isinstance(look.load, Value) else look.load
            return replace(look, progress=Value(Progress(some), now), load=load)
        return look

    # what a question comes to

    def answer(self) -> tuple[Outcome, float]:
        if not self.would_answer():
            return super().answer()
        if len(self.waiting) >= QUEUE and self.kind is EngineKind.OLLAMA:
            return Outcome.BUSY, 0.1
        if "wrong" in self.once and self.right:
            self.once.discard("wrong")
            self.right = False  # one wrong answer is an accident, two in a row are an illness
            return Outcome.WRONG, 0.3
        wait = self._wait()
        self.right = self.right or wait < SOON
        if not wait:
            self._count_question()
        return Outcome.OK, wait + 0.2

    def _wait(self) -> float:
        raise NotImplementedError

    def _count_question(self) -> None:
        raise NotImplementedError


class NoisyVllm(Noisy):
    def __init__(self, now: Callable[[], float], random: Random) -> None:
        super().__init__(EngineKind.VLLM, now, 8, random)
        names = ("running", "waiting", "generated", "prompted", "finished", "kv", "iterated")
        self.counts = dict.fromkeys(names, 0.0)
        self.gauges = Load(0, 0)

    def renewed(self) -> None:
        super().renewed()
        self.gauges = Load(0, 0)

    def _work(self, seconds: float) -> None:
        """All that is counted moves when a step has ended, the gauges too."""
        now = self._now()
        self.owed += seconds
        if now < self.still_until:
            return
        owed, self.owed = self.owed, 0.0
        if not (self.running or self.waiting):
            return
        answering = sum(not _reads(request) for request in self.running)
        super()._work(owed)
        reading = any(map(_reads, self.running))
        self.gauges = Load(len(self.running), len(self.waiting))
        counts = self.counts
        counts["running"], counts["waiting"] = float(self.gauges.running), float(self.gauges.waiting)
        counts["generated"] += answering * 20.0
        counts["iterated"] += answering * 20.0
        counts["finished"] = float(self.done)
        counts["kv"] = (counts["kv"] + 0.013) % 1.0
        counts["prompted"] += 2048.0 * reading
        if reading:
            self.still_until = now + self.random.uniform(*CHUNK)

    def _wait(self) -> float:
        """A question waits for the step under way, and behind a long prompt for all of it."""
        if self.on["api"]:
            return 3600.0
        reading = [r.prefill - (r.work - r.left) for r in self.running if isinstance(r, Prompt)]
        full = len(self.running) >= self.slots
        queued = min(r.left for r in self.running) + len(self.waiting) / self.slots if full else 0.0
        return max(0.0, self.still_until - self._now(), queued, *reading)

    def _count_question(self) -> None:
        for name in ("generated", "prompted", "finished", "iterated"):
            self.counts[name] += 1.0

    def _seen(self, now: float) -> EngineLook:
        if self.on["api"]:
            return self._silent(now)
        load: Reading[Load] = NotAvailable(now) if self.on["none"] else Value(self.gauges, now)
        lan = NotAvailable(now)
        return EngineLook(Value(True, now), self._models(now), self._progress(now), load, lan, lan)

    def _silent(self, now: float) -> EngineLook:
        """The API server reads a prompt of megabytes: its port takes, nothing answers, its CPU is busy."""
        self.cpu += 1.9
        ill = Failed("no answer of /metrics", now)
        work: Reading[Progress] = Value(Progress((("main_cpu", self.cpu),)), now)
        return EngineLook(Value(True, now), ill, work, ill, NotAvailable(now), NotAvailable(now))


def _reads(request: Request) -> bool:
    return isinstance(request, Prompt) and request.reads()


class NoisyOllama(Noisy):
    """One answer at a time; its model is loaded by the first question, and goes after its stay."""

    def __init__(self, now: Callable[[], float], random: Random) -> None:
        super().__init__(EngineKind.OLLAMA, now, 1, random)
        self.counts = dict.fromkeys(("answered", "runner_cpu", "runner_memory"), 0.0)
        self.load_left, self.loaded, self.used_at = 0.0, True, 0.0

    def renewed(self) -> None:
        super().renewed()
        self.load_left, self.loaded, self.used_at = 0.0, False, 0.0

    def at_rest(self) -> bool:
        return super().at_rest() and not self.load_left

    def _unload(self) -> None:
        if self.loaded and not self.running and self._now() - self.used_at > KEEP:
            self.loaded = False

    def _begin_load(self) -> None:
        """Seconds; from a cold disk it takes minutes."""
        cold = self.random.random() < 0.4
        self.load_left = self.random.uniform(20.0, 180.0) if cold else self.random.uniform(1.0, 8.0)

    def _work(self, seconds: float) -> None:
        now = self._now()
        if now < self.still_until:
            return
        if self.load_left:
            self._load(seconds, now)
            return
        if not (self.running or self.waiting):
            return
        self._unload()
        if not self.loaded:
            self._begin_load()
            return
        before = len(self.running)
        super()._work(seconds)
        self.used_at = now
        self.counts["answered"] += 60.0
        self.counts["runner_cpu"] += 0.4
        if not before and self.running and self.running[0].work >= KEEP and self.random.random() < 0.5:
            self.still_until = now + self.random.uniform(*STALL)

    def _load(self, seconds: float, now: float) -> None:
        self.load_left = max(0.0, self.load_left - seconds)
        self.loaded, self.used_at = not self.load_left, now
        self.read_bytes += int(200 * MB * seconds)
        self.counts["runner_memory"] += 200.0 * MB * seconds
        self.counts["runner_cpu"] += 0.3
        if self.load_left and self.random.random() < 0.03:
            self.still_until = now + self.random.uniform(*STALL)

    def _wait(self) -> float:
        """A question loads the model, and goes on loading it after it was given up."""
        self._unload()
        if not self.loaded and not self.load_left:
            self._begin_load()
        stalled = max(0.0, self.still_until - self._now())
        queued = sum(r.left for r in self.running) + sum(r.work for r in self.waiting)
        return stalled + self.load_left + queued

    def _count_question(self) -> None:
        self.counts["answered"] += 1.0
        self.counts["runner_cpu"] += 0.1

    def _seen(self, now: float) -> EngineLook:
        models: Reading[frozenset[str]] = self._models(now)
        if self.on["api"]:
            models = Failed("no answer of /api/tags", now)
        lan: Reading[int] = Value(self.in_flight(lan=True), now)
        if self.on["sockets"]:
            lan = Failed("cannot read the engine's sockets", now)
        warmup: Reading[Warmup] = Value(Warmup(self.read_bytes, 0, 0.0), now)
        if self.on["processes"]:
            warmup = Failed("cannot read the engine's start", now)
        none = NotAvailable(now)
        return EngineLook(
            Value(True, now), models, self._progress(now), none, lan, warmup, self.ills.degraded
        )
