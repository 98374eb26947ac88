"""A supervised process, and the engine as one that can fall ill in every way."""

from collections.abc import Callable
from dataclasses import dataclass, field

from inferagent.model.desired import EngineKind
from inferagent.model.engine import EngineLook, Load, Outcome, Progress, Warmup
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.model.unit import Unit, UnitState

NEVER_ENDS = float("inf")
Deed = tuple[float, Callable[[], str]]
MB = 1 << 20


@dataclass
class Process:
    """A supervised process: started again 3 s after it died by itself, as a child unit does."""

    prefix: str = "p"
    alive: bool = False
    lives: int = 0
    born: float = 0.0
    comes_back: float | None = None
    supervised: bool = True
    own_restarts: list[float] = field(default_factory=list)
    exit: str = ""
    by_person: bool = False

    def spawn(self, now: float) -> None:
        self.alive, self.born, self.comes_back = True, now, None
        self.lives += 1
        self.by_person = False

    def kill(self, now: float, how: str = "killed by signal 9") -> None:
        self.alive, self.exit = False, how
        self.comes_back = now + 3.0 if self.supervised else None

    def person_stops(self) -> None:
        self.alive, self.comes_back, self.by_person = False, None, True

    def power_off(self) -> None:
        self.alive, self.comes_back, self.exit, self.by_person = False, None, "", False
        self.own_restarts = []

    def supervise(self, now: float) -> None:
        if self.comes_back is not None and now >= self.comes_back:
            self.own_restarts.append(now)
            self.spawn(now)

    def unit(self) -> Unit:
        state = UnitState.RUNNING if self.alive else UnitState.STOPPED
        if not self.alive and self.comes_back is not None:
            state = UnitState.RESTARTING
        return Unit(
            state,
            f"{self.prefix}{self.lives}" if self.alive else "",
            self.lives if self.alive else 0,
            self.born,
            tuple(self.own_restarts),
            self.by_person,
            self.exit,
        )

    def shift(self, seconds: float) -> None:
        self.born -= seconds


@dataclass
class Engine(Process):
    """`hung_until`: nothing moves, no question is answered. `busy_until`: it works on somebody's long
    request, and questions wait behind it. `wrong`: answers without tokens. `load_stuck`: a start makes no
    progress."""

    kind: EngineKind = EngineKind.VLLM
    prefix: str = "e"
    warm: float = 20.0
    hung_until: float = 0.0
    busy_until: float = 0.0
    wrong: bool = False
    refuses: bool = False
    load_stuck: bool = False
    metrics: str = "ok"  # ok | failed | na
    blind: bool = False  # no look succeeds at all
    has_model: bool = True
    degraded: str = ""
    users: bool = True
    lan: int = 0
    tunnel_flying: int = 0
    moves: int = 0
    read: int = 0
    fine_since: float = NEVER_ENDS  # would have answered ever since
    _idle_at: float = 0.0

    def __init__(self, kind: EngineKind) -> None:
        super().__init__("e")
        self.kind = kind
        self.warm = 20.0 if kind is EngineKind.VLLM else 0.5

    def start(self, now: float) -> Deed:
        if not self.alive:
            self._spawn(now)
        return now + 0.2, lambda: ""

    def stop(self, now: float) -> Deed:
        self.alive, self.comes_back = False, None
        return now + 0.5, lambda: ""

    def restart(self, now: float) -> Deed:
        self._spawn(now)
        return now + 0.5, lambda: ""

    def _spawn(self, now: float) -> None:
        self.spawn(now)
        self._renew()

    def _renew(self) -> None:
        self.hung_until = self.busy_until = 0.0
        self.tunnel_flying = self.lan = self.read = 0
        self.refuses = False

    def accepts(self, now: float) -> bool:
        return self.alive and not self.refuses and not self.load_stuck and now >= self.born + self.warm

    def would_answer(self, now: float) -> bool:
        return self.accepts(now) and not self.wrong and now >= self.hung_until

    def step(self, now: float, seconds: float, receiving: bool) -> None:
        lives = self.lives
        self.supervise(now)
        if self.lives != lives:
            self._renew()
        if not self.accepts(now):
            self.tunnel_flying, self.fine_since = 0, NEVER_ENDS
            loading = not self.load_stuck and now < self.born + self.warm
            self.read += int(40 * MB * seconds) if loading else 0
            return
        hung = now < self.hung_until
        self.fine_since = min(self.fine_since, now) if self.would_answer(now) else NEVER_ENDS
        if receiving and self.users:
            self.tunnel_flying = min(64, self.tunnel_flying + 1) if hung else 2
            self._idle_at = now + 2.0
        elif not hung and now >= max(self._idle_at, self.busy_until):
            self.tunnel_flying = 0
        if not hung and (self.tunnel_flying or self.lan or now < self.busy_until):
            self.moves += 1

    def answer(self, now: float) -> tuple[Outcome, float]:
        """What a question asked now comes to, and after how long."""
        if not self.accepts(now):
            return Outcome.WRONG, 0.1
        if now < self.hung_until:
            return Outcome.UNANSWERED, 0.0
        if now < self.busy_until:
            left = self.busy_until - now
            return (Outcome.OK, left) if left < 5.0 else (Outcome.UNANSWERED, 0.0)
        self.moves += 1
        return (Outcome.WRONG, 0.1) if self.wrong else (Outcome.OK, 0.2)

    def look(self, now: float) -> EngineLook:
        if self.blind or not self.alive:
            ill = Failed("cannot read the metrics", now)
            return EngineLook(ill, ill, ill, ill, ill, ill)
        accepts = self.accepts(now)
        if not accepts:
            ill = Failed("the port refuses", now)
            warmup = Value(Warmup(self.read, 0, 0.0), now)
            return EngineLook(Value(False, now), ill, ill, ill, NotAvailable(now), warmup)
        names = frozenset({"chat"}) if self.has_model else frozenset({"other"})
        vllm = self.kind is EngineKind.VLLM
        progress: Reading[Progress] = Value(Progress((("moves", float(self.moves)),)), now)
        load: Reading[Load] = Value(Load(self.tunnel_flying + self.lan, 0), now)
        if self.metrics != "ok":
            gone = Failed("cannot read", now) if self.metrics == "failed" else NotAvailable(now)
            progress, load = gone, gone
        warmup = NotAvailable(now) if vllm else Value(Warmup(self.read, 0, 0.0), now)
        return EngineLook(
            accepts=Value(True, now),
            models=Value(names, now),
            progress=progress,
            load=load if vllm else NotAvailable(now),
            lan=NotAvailable(now) if vllm else Value(self.lan, now),
            warmup=warmup,
            degraded=self.degraded,
        )

    def shift(self, seconds: float) -> None:
        super().shift(seconds)
        self.hung_until -= seconds
        self.busy_until -= seconds
        self._idle_at -= seconds
        self.fine_since -= seconds
