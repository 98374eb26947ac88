"""An engine with requests in it, that can fall ill in every way: the truth that the agent must find out."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.fleet.process import Process

from inferagent.model.desired import EngineKind
from inferagent.model.engine import EngineLook, Generation, Load, Outcome, Progress, Warmup
from inferagent.model.reading import Failed, NotAvailable, Reading, Value
from inferagent.ports import PortError

FOR_EVER = float("inf")
MB = 1 << 20
PATIENCE = 120.0  # seconds after which the edge gives up a silent answer
QUEUE = 512


@dataclass(slots=True)
class Request:
    """`work` in seconds of an engine to itself; `lan`: came past the tunnel. `born` on its host's clock."""

    work: float
    lan: bool = False
    born: float = 0.0
    left: float = 0.0


@dataclass(slots=True)
class Ills:
    """What is wrong with the engine beside its process: until when on the boot clock, or plainly."""

    hung_until: float = 0.0
    hangs_under_load: float = 0.0  # seconds of load after which it hangs
    wrong: bool = False
    refuses: bool = False
    load_stuck: bool = False
    no_model: bool = False
    degraded: str = ""
    poisoned: bool = False  # a prompt has come that kills whatever life serves it


@dataclass(slots=True)
class Sight:
    """What the agent's looks show of it."""

    metrics: str = "ok"  # ok | failed | na | reset | renamed
    blind: bool = False  # no look succeeds
    slow: bool = False  # looks come back after their deadline
    generations_fail: bool = False  # the probe itself cannot be made

    def plain(self) -> bool:
        return self == Sight()


class Engine(Process):
    def __init__(self, kind: EngineKind, now: Callable[[], float], slots: int = 4) -> None:
        super().__init__("e", now)
        self.kind, self.slots = kind, slots
        self.warm = 20.0 if kind is EngineKind.VLLM else 0.5
        self.load_seconds = 0.0  # Ollama: how long the next question waits for the model
        self.ills, self.sight = Ills(), Sight()
        self.running: list[Request] = []
        self.waiting: list[Request] = []
        self.lost: Callable[[Request, str], None] = lambda request, why: None
        self.done = 0
        self.short_lived_until = 0.0
        self.moves, self.read_bytes, self.cpu = 0, 0, 0.0
        self.fine_since = FOR_EVER
        self.busy_since: float | None = None
        self.answered: list[tuple[float, Outcome]] = []  # questions of the agent: when begun, what came

    # the truth

    def accepts(self) -> bool:
        closed = self.ills.refuses or self.ills.load_stuck
        return self.alive and not closed and self.age >= self.warm

    def hung(self) -> bool:
        return self._now() < self.ills.hung_until

    def would_answer(self) -> bool:
        return self.accepts() and not self.ills.wrong and not self.ills.no_model and not self.hung()

    def fine_for(self) -> float:
        """Seconds for which it would have answered without a break."""
        return self._now() - self.fine_since if self.would_answer() else 0.0

    def in_flight(self, *, lan: bool) -> int:
        return sum(request.lan is lan for request in (*self.running, *self.waiting))

    def renewed(self) -> None:
        self.ills.hung_until = 0.0
        self.ills.refuses = False
        self.moves, self.read_bytes, self.cpu, self.busy_since = 0, 0, 0.0, None
        self.fine_since = FOR_EVER

    def cut(self, why: str) -> None:
        """The way in has ended: whatever came through it has nobody to answer to."""
        for place in (self.running, self.waiting):
            for request in [request for request in place if not request.lan]:
                place.remove(request)
                self.lost(request, why)

    def ended(self) -> None:
        for request in (*self.running, *self.waiting):
            self.lost(request, "the engine ended")
        self.running, self.waiting = [], []
        self.fine_since = FOR_EVER

    # its work

    def take(self, request: Request) -> str:
        """ "" or why the request fails at once."""
        request.born, request.left = self._now(), request.work
        if not self.accepts():
            return "refused"
        if self.ills.no_model:
            return "no such model"
        if self.ills.wrong:
            return "wrong answer"
        if len(self.waiting) >= QUEUE:
            return "busy"
        self.waiting.append(request)
        return ""

    def step(self, seconds: float) -> None:
        now = self._now()
        if self.alive and now < self.short_lived_until and self.age >= 1.0:
            self.kill("exit code 1")
        if not self.accepts():
            loading = self.alive and not self.ills.load_stuck and self.age < self.warm
            self.read_bytes += int(40 * MB * seconds) if loading else 0
            self.fine_since = FOR_EVER
            return
        self._hang_under_load(now)
        self.fine_since = min(self.fine_since, now) if self.would_answer() else FOR_EVER
        if not self.hung():
            self._work(seconds)
        self._give_up(now)

    def _hang_under_load(self, now: float) -> None:
        if not self.running:
            self.busy_since = None
            return
        self.busy_since = now if self.busy_since is None else self.busy_since
        bound = self.ills.hangs_under_load
        if bound and now - self.busy_since >= bound and not self.hung():
            self.ills.hung_until = FOR_EVER

    def _work(self, seconds: float) -> None:
        while self.waiting and len(self.running) < self.slots:
            self.running.append(self.waiting.pop(0))
        if not self.running:
            return
        self.moves += 1
        self.cpu += seconds
        for request in self.running:
            request.left -= seconds
        self.done += sum(request.left <= 0 for request in self.running)
        self.running = [request for request in self.running if request.left > 0]

    def _give_up(self, now: float) -> None:
        """A user, or the edge for them, gives up an answer that does not begin."""
        if not self.hung() and len(self.waiting) < QUEUE:
            return
        for place in (self.running, self.waiting):
            late = [request for request in place if now - request.born > PATIENCE + request.work]
            for request in late:
                place.remove(request)
                self.lost(request, "no answer")

    # the agent's looks

    def answer(self) -> tuple[Outcome, float]:
        """What a question asked now comes to, and after how long."""
        if not self.accepts() or self.ills.no_model:
            return Outcome.WRONG, 0.1
        if self.hung():
            return Outcome.UNANSWERED, FOR_EVER
        if len(self.waiting) >= QUEUE:
            return Outcome.BUSY, 0.1
        if self.ills.wrong:
            return Outcome.WRONG, 0.1
        full = len(self.running) >= self.slots
        queued = (min(r.left for r in self.running) + len(self.waiting) / self.slots) if full else 0.0
        self.moves += self.kind is EngineKind.VLLM  # that it was taken shows in a counter
        return Outcome.OK, queued + self.load_seconds + 0.2

    def look(self) -> EngineLook:
        now, sight = self._now(), self.sight
        if sight.blind or not self.alive:
            ill = Failed("cannot read the metrics", now)
            return EngineLook(ill, ill, ill, ill, ill, ill)
        if not self.accepts():
            ill = Failed("the port refuses", now)
            warmup = Value(Warmup(self.read_bytes, 0, self.cpu), now)
            return EngineLook(Value(False, now), ill, ill, ill, NotAvailable(now), warmup)
        return self._whole_look(now)

    def _whole_look(self, now: float) -> EngineLook:
        vllm = self.kind is EngineKind.VLLM
        name = "moves" if self.sight.metrics != "renamed" else "moved"
        moves = 0.0 if self.sight.metrics == "reset" else float(self.moves)
        progress: Reading[Progress] = Value(Progress(((name, moves),)), now)
        load: Reading[Load] = Value(Load(len(self.running), len(self.waiting)), now)
        if self.sight.metrics in ("failed", "na"):
            gone = Failed("cannot read", now) if self.sight.metrics == "failed" else NotAvailable(now)
            progress, load = gone, gone
        return EngineLook(
            accepts=Value(True, now),
            models=Value(frozenset({"other" if self.ills.no_model else "chat"}), now),
            progress=progress,
            load=load if vllm else NotAvailable(now),
            lan=NotAvailable(now) if vllm else Value(self.in_flight(lan=True), now),
            warmup=NotAvailable(now) if vllm else Value(Warmup(self.read_bytes, 0, self.cpu), now),
            degraded=self.ills.degraded,
        )

    def generation(self, begun: float, life: str, outcome: Outcome) -> Generation:
        """Raises PortError where the question itself cannot be asked."""
        if self.sight.generations_fail:
            raise PortError("cannot ask for a generation")
        self.answered.append((begun, outcome))
        return Generation(outcome, begun, self._now(), "", life)
