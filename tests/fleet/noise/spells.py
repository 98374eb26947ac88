"""What each noise does to a host or to its account: some begin and end, some strike once."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from tests.fleet.api import WINDOW
from tests.fleet.engine import Request
from tests.fleet.host import Host
from tests.fleet.noise.engines import Prompt

from inferagent.model.desired import EngineKind

if TYPE_CHECKING:
    from tests.fleet.noise.trace import NoisyFleet

HIDDEN = {
    EngineKind.VLLM: ("running", "waiting", "generated", "prompted", "finished", "kv", "iterated"),
    EngineKind.OLLAMA: ("answered", "runner_memory"),
}
NEVER_BOTH = {"kv", "prompted"}  # without either, a long prompt shows nothing at all


def _slow(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.engine.sight.slow = on


def _unaskable(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.engine.sight.generations_fail = on


def _edge(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    """The line of the whole host: the edge and the API."""
    host.connector.edge, host.line.cut = not on, on


def _connector(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.connector.metrics_fail = on


def _gpu(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.gpu_blind = on


def _units(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.units_unknown = on
    host.engine.tell()
    host.connector.tell()


def _agent(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.kill_agent() if on else host.start_agent()


def _frozen(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    """The machine is so busy that the agent does not run."""
    host.freeze() if on else host.thaw()


def _account(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    fleet.account.down = any(fleet.noisy(other).on["account"] for other in fleet.hosts)


def _refusing(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    fleet.account.blocked_until = fleet.now + WINDOW if on else fleet.now


def _late(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.line.writes, host.line.late = ("late", 40.0) if on else ("ok", 0.0)


def _lag(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    host.line.latency = 2.5 if on else 0.15


def _hidden(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    engine = fleet.noisy(host)
    names = HIDDEN[engine.kind]
    hidden = set(engine.random.sample(names, engine.random.randrange(1, len(names)))) if on else set()
    engine.hidden = frozenset(hidden - {"kv"} if hidden >= NEVER_BOTH else hidden)


def _sockets(fleet: "NoisyFleet", host: Host, on: bool) -> None:
    """Without them only the runner's CPU time and memory tell."""
    fleet.noisy(host).hidden = frozenset({"answered"} if on else ())


SPELLS: dict[str, Callable[["NoisyFleet", Host, bool], None]] = {
    "slow": _slow,
    "unaskable": _unaskable,
    "edge": _edge,
    "connector": _connector,
    "GPU": _gpu,
    "units": _units,
    "agent": _agent,
    "frozen": _frozen,
    "account": _account,
    "429": _refusing,
    "late": _late,
    "lag": _lag,
    "hidden": _hidden,
    "sockets": _sockets,
}


# what strikes once


def _once(name: str) -> Callable[["NoisyFleet", Host, Random], None]:
    return lambda fleet, host, random: fleet.noisy(host).once.add(name)


def _reset(fleet: "NoisyFleet", host: Host, random: Random) -> None:
    engine = fleet.noisy(host)
    engine.base = dict(engine.counts)


def _long_prompt(fleet: "NoisyFleet", host: Host, random: Random) -> None:
    prefill = random.uniform(40.0, 120.0)
    fleet.ask(host, Prompt(prefill + random.uniform(1.0, 30.0), prefill=prefill))


def _long_answer(fleet: "NoisyFleet", host: Host, random: Random) -> None:
    """Five minutes, and a queue behind it."""
    fleet.ask(host, Request(300.0 + random.uniform(0.0, 60.0)))
    for _ in range(random.randrange(4)):
        fleet.ask(host, Request(random.expovariate(1.0 / 6.0)))


def _flood(fleet: "NoisyFleet", host: Host, random: Random) -> None:
    for _ in range(random.randrange(100, 700)):
        fleet.ask(host, Request(random.uniform(0.2, 3.0)))


def _lan_user(fleet: "NoisyFleet", host: Host, random: Random) -> None:
    fleet.ask(host, Request(random.uniform(1.0, 120.0), lan=True))


DEEDS: dict[str, Callable[["NoisyFleet", Host, Random], None]] = {
    "refused": _once("refused"),
    "model": _once("model"),
    "wrong": _once("wrong"),
    "reset": _reset,
    "long prompt": _long_prompt,
    "long answer": _long_answer,
    "flood": _flood,
    "LAN user": _lan_user,
}
