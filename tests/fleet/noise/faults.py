"""The real faults that hide in the noise, as data: what each must be named, how soon, and what cures it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from tests.fleet.host import Host
from tests.fleet.noise import strikes

from inferagent.model.desired import EngineKind

# Noise that hides a fault from who looks for it there.
AGENT = ("units", "agent", "frozen")
LOOKS = ("slow", "torn", *AGENT)
COUNTERS = ("hidden", "none", "sockets", "processes", "reset", "api")
QUESTIONS = ("unaskable", "wrong")
POOL = ("account", "429", "lag", "edge")
WAY = ("connector", "edge", *AGENT)
INFERRED = (*LOOKS, *COUNTERS, *QUESTIONS, *POOL, "connector")
AGAIN = ("engine-restarted",)  # what is seen of a death that nobody saw: its supervisor starts it after 3 s
AT_ONCE, TWO_LOOKS = 1.0, 8.0


@dataclass(frozen=True, slots=True)
class Fault:
    """`codes`: the cause named at leaving, strictly one of these; `unseen` too, where noise hid the moment.

    `bound`: seconds to leaving, from the first user who meets the fault where `users`, else from its
    beginning; what of `blind` goes on meanwhile is added. `then`: a cause that must become the root, and by
    when after leaving. `cure`: by a `restart` of the agent's, by a `person`, a `reboot`, the `line`, or by
    `itself`. `back`: seconds from the cure, or from leaving, to serving. `parts`: what the agent may start or
    restart meanwhile; everything else would be in vain.
    """

    name: str
    strike: Callable[[Host, Random], None]
    codes: tuple[str, ...]
    bound: float
    blind: tuple[str, ...] = LOOKS
    unseen: tuple[str, ...] = ()
    users: bool = False
    inferred: bool = False
    soft: bool = False
    then: tuple[str, float] | None = None
    cure: str = "itself"
    heal: Callable[[Host], None] = lambda host: None
    back: float = 420.0
    parts: tuple[str, ...] = ("engine",)


KILLED = Fault("killed", strikes.killed, ("engine-gone",), AT_ONCE, AGENT, AGAIN)
FLASH = replace(KILLED, name="restarted in no time", strike=strikes.flash, codes=("engine-restarted",))
FOR_GOOD = replace(KILLED, name="killed for good", strike=strikes.killed_for_good, heal=strikes.supervised)
STUCK = replace(
    KILLED,
    name="start stuck",
    strike=strikes.start_stuck,
    then=("warming-stuck", 640.0),
    cure="restart",
    heal=strikes.unstuck,
    back=1200.0,
)
REFUSES = Fault("refuses", strikes.refuses, ("engine-refuses",), TWO_LOOKS, back=600.0)
NO_MODEL = Fault(
    "model gone",
    strikes.no_model,
    ("model-missing",),
    TWO_LOOKS,
    (*LOOKS, "api"),
    cure="person",
    heal=strikes.model_back,
    parts=(),
)
STOPPED = Fault(
    "engine stopped by a person",
    strikes.engine_stopped,
    ("engine-stopped-by-person",),
    AT_ONCE,
    AGENT,
    cure="person",
    heal=strikes.engine_started,
    parts=(),
)
CONNECTOR = ("connector",)
UNCONNECTED = Fault(
    "connector killed", strikes.connector_killed, ("connector-gone",), AT_ONCE, AGENT, parts=CONNECTOR
)
DISCONNECTED = Fault(
    "connector stopped by a person",
    strikes.connector_stopped,
    ("connector-stopped-by-person",),
    AT_ONCE,
    AGENT,
    cure="person",
    heal=strikes.connector_started,
    parts=(),
)
MISLED = Fault(
    "ingress wrong",
    strikes.misled,
    ("ingress-wrong",),
    TWO_LOOKS,
    WAY,
    cure="person",
    heal=strikes.led,
    parts=CONNECTOR,
)
CUT = Fault("line cut", strikes.line_cut, ("no-edge",), 68.0, WAY, cure="line", parts=CONNECTOR)
GPU = Fault(
    "GPU lost",
    strikes.gpu_lost,
    ("gpu-lost",),
    TWO_LOOKS,
    ("GPU", *AGENT),
    cure="reboot",
    back=600.0,
    parts=(),
)
GPU_AND_ENGINE = replace(
    KILLED,
    name="GPU lost, engine dead",
    strike=strikes.gpu_takes_engine,
    codes=("engine-gone", "gpu-lost"),
    then=("gpu-lost", 6.0),
    cure="reboot",
    heal=strikes.unstuck,
    back=600.0,
    parts=(),
)
WRONG = Fault(
    "wrong answers",
    strikes.wrong,
    ("generation-failed",),
    90.0,
    INFERRED,
    users=True,
    inferred=True,
    cure="restart",
    heal=strikes.right,
    back=600.0,
)
DEGRADED = Fault(
    "on the CPU",
    strikes.degraded,
    ("engine-degraded",),
    TWO_LOOKS,
    (*LOOKS, *POOL),
    soft=True,
    cure="person",
    heal=strikes.whole,
    parts=(),
)
# vLLM: 12 s still, a question of 6 s, a look, a turn; Ollama: 30 s still
HANG = Fault("hang under traffic", strikes.hung, ("engine-hung",), 35.0, INFERRED, users=True, inferred=True)
IDLE = replace(HANG, name="hang while idle", bound=110.0, users=False)
STALL = replace(HANG, name="stall", strike=strikes.stalled, parts=())
FRAGILE = replace(HANG, name="hangs under load", strike=strikes.fragile, cure="restart", heal=strikes.sturdy)
SLOWER = 50.0
COMMON = (
    (KILLED, 2),
    (FLASH, 1),
    (FOR_GOOD, 2),
    (STUCK, 1),
    (REFUSES, 2),
    (NO_MODEL, 2),
    (STOPPED, 1),
    (UNCONNECTED, 1),
    (DISCONNECTED, 1),
    (MISLED, 1),
    (CUT, 2),
    (GPU, 1),
    (GPU_AND_ENGINE, 1),
    (WRONG, 2),
)
FAULTS: dict[EngineKind, tuple[tuple[Fault, int], ...]] = {
    EngineKind.VLLM: (*COMMON, (HANG, 2), (IDLE, 1), (FRAGILE, 1), (STALL, 1)),
    EngineKind.OLLAMA: (
        *COMMON,
        (replace(HANG, bound=SLOWER), 2),
        (replace(FRAGILE, bound=SLOWER), 1),
        (replace(STALL, bound=SLOWER), 1),
        (DEGRADED, 1),
    ),
}


def faults(kind: EngineKind, count: int, random: Random, names: tuple[str, ...] = ()) -> list[Fault]:
    """So many in a random order, all 25 where there is room for them; of `names` only, if any are given."""
    pack = [fault for fault, times in FAULTS[kind] for _ in range(times) if fault.name in names or not names]
    random.shuffle(pack)
    return (pack * (1 + count // len(pack)))[:count]
