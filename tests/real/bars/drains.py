"""drains_done, drains_requests, drains_failed: 40 drains that stop the engine, while users ask.

Two hosts are drained, each again and again and independently of the other: a vLLM and an Ollama. A third one,
an Ollama, always stays. The control, on the same hosts: SIGTERM to an engine in the pool, without a drain.
"""

import asyncio
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.drain import Patience, Round, at_edge, by_round, drains
from tests.bench.figures import Figure, count, load_average, quantile, tidy
from tests.bench.lab import Edge, opened, provision, say, serve, until, until_serving
from tests.real.bars.chain import BACK, PARALLEL, Chain, about, answered_by, begun, served

from inferagent.lab.demo.host import CommandError, Host, leaves
from inferagent.lab.demo.world import World
from inferagent.lab.processes import kill
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Kind, Outcome, mixed

EACH, QUICK_EACH = 20, 1
LEAST, QUICK_LEAST = 4050, 70
RATE, QUICK_RATE, CONTROL_RATE = 4.0, 2.0, 1.5
STREAMS, CONTROL_STREAMS = 0.04, 0.5
PLAIN_TOKENS, STREAM_TOKENS = 4, 1500
# A vLLM on the CPU is much slower than an Ollama wherever others use the cores.
WEIGHTS = {"vllm": 20, "ollama": 40}
PATIENCE = Patience(out=240, stopped=120, back=BACK)  # the machine may be slow: time is no bar here
CUTS = 2  # of each engine in the control
# Only what brings a host back after the control's blows; no drain leaves by these.
QUICK_RETURN: dict[str, str | int] = {
    "limits.hold_off": "2s",
    "limits.restarts_per_hour": 60,
    "limits.joins_per_hour": 600,
}


@dataclass
class Taken:
    """What was seen, kept as it comes: a run that breaks off tells what it had."""

    rounds: list[Round] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    served: dict[str, int] = field(default_factory=dict)
    broke_off: list[str] = field(default_factory=list)


async def measure(chain: Chain, folder: Path, quick: bool) -> list[Figure]:
    edge = Edge()
    conditions: dict[str, Any] = {**begun(), **edge.conditions()}
    async with opened(folder, edge, seed=chain.seed) as world:
        hosts = await _hosts(chain, world)
        conditions["hosts"] = await about(world.hosts)
        taken = await _drain(chain, world, hosts, quick)
        conditions["load_after"] = load_average()
        beside = {} if taken.broke_off else await _controls(chain, world, hosts, 1 if quick else CUTS)
    conditions |= _conditions(taken, quick)
    failed = [outcome for outcome in taken.outcomes if not outcome.ok]
    done = Counter(each.host for each in taken.rounds)
    kinds = {host.engine.kind: done[host.name] for host in hosts}
    took = [each.out - each.begun for each in taken.rounds] or [0.0]
    return [
        Figure(
            "drains_done",
            "drains",
            done.total(),
            done.total(),
            quantile(took, 0.9),
            max(took),
            conditions,
            kinds,
        ),
        count(
            "drains_requests", len(taken.outcomes), by_round(taken.rounds, taken.outcomes), {}, _kinds(taken)
        ),
        count(
            "drains_failed",
            len(failed),
            by_round(taken.rounds, failed),
            {"causes": dict(Counter(_cause(outcome) for outcome in failed))},
            {"sigterm_without_a_drain": beside},
        ),
    ]


async def _hosts(chain: Chain, world: World) -> list[Host]:
    """All serve; those that will be drained are returned."""
    chain.add(world, "stays-ollama", "ollama", WEIGHTS["ollama"])
    drained = [
        chain.add(world, f"drained-{kind}", kind, weight, QUICK_RETURN) for kind, weight in WEIGHTS.items()
    ]
    await provision(world, world.hosts)
    await serve(world, world.hosts, BACK)
    return drained


def _users(chain: Chain, world: World, streams: float, rate: float) -> Traffic:
    return chain.traffic(world, kinds_of(streams), rate)


def kinds_of(streams: float) -> list[Kind]:
    """The bounds are wide: where four programs share two cores, slow is not failed."""
    return mixed(streams, PLAIN_TOKENS, STREAM_TOKENS, bound=45.0, stream_bound=110.0)


async def _drain(chain: Chain, world: World, hosts: list[Host], quick: bool) -> Taken:
    each, least, rate = (QUICK_EACH, QUICK_LEAST, QUICK_RATE) if quick else (EACH, LEAST, RATE)
    before = await served(world)
    traffic, taken = _users(chain, world, STREAMS, rate), Taken()
    try:
        await drains(world, hosts, each, traffic, taken.rounds, least, PATIENCE)
    except* (CommandError, TimeoutError) as errors:
        taken.broke_off = [str(error) for error in leaves(errors)]
        say(f"drains broke off: {'; '.join(taken.broke_off)}")
    taken.outcomes = traffic.outcomes
    failed = [_cause(outcome) for outcome in traffic.outcomes if not outcome.ok]
    say(f"drains: failed {len(failed)} of {len(traffic.outcomes)} {sorted(set(failed))}")
    taken.served = {name: number - before[name] for name, number in (await served(world)).items()}
    return taken


def _conditions(taken: Taken, quick: bool) -> dict[str, Any]:
    return {
        "broke_off": taken.broke_off,
        "served_by_host": taken.served,
        "drain_s": {name: _spread(each.out - each.begun for each in some) for name, some in _by_host(taken)},
        "back_s": {name: _spread(each.back - each.out for each in some) for name, some in _by_host(taken)},
        "in_flight_as_a_drain_begins": {
            name: sum(each.open for each in some) for name, some in _by_host(taken)
        },
        "sent_there_after_a_drain_began": {
            name: sum(each.late for each in some) for name, some in _by_host(taken)
        },
        "stream_s": _streams(taken.outcomes),
        "requests_per_s": QUICK_RATE if quick else RATE,
        "stream_share": STREAMS,
        "tokens": [PLAIN_TOKENS, STREAM_TOKENS],
        "ollama_num_parallel": PARALLEL,
        "settle_s": 10,
        "quiet_s": 3,
        "engine_stopped": "in every drain",
        "shortened_for_the_control": QUICK_RETURN,
    }


def _streams(outcomes: list[Outcome]) -> dict[str, list[float]]:
    """How long they took, by who answered."""
    took: dict[str, list[float]] = {}
    for each in outcomes:
        if each.kind == "stream":
            took.setdefault(answered_by(each), []).append(each.end - each.start)
    return {name: _spread(some) for name, some in sorted(took.items())}


def _by_host(taken: Taken) -> list[tuple[str, list[Round]]]:
    names = sorted({each.host for each in taken.rounds})
    return [(name, [each for each in taken.rounds if each.host == name]) for name in names]


def _spread(samples: Any) -> list[float]:
    """Least, median and most."""
    ordered = sorted(samples) or [0]
    return [tidy(each) for each in (ordered[0], quantile(ordered, 0.5), ordered[-1])]


def _kinds(taken: Taken) -> dict[str, int]:
    return dict(Counter(outcome.kind for outcome in taken.outcomes))


async def _controls(chain: Chain, world: World, hosts: list[Host], times: int) -> dict[str, Any]:
    """A control that breaks off has failed nothing, which misses its bar; the drains' figures stand."""
    found: dict[str, Any] = {}
    for host in hosts:
        try:
            found[host.engine.kind] = await _cut(chain, world, host, times)
        except* (CommandError, TimeoutError) as errors:
            told = "; ".join(str(error) for error in leaves(errors))
            say(f"drains: the control of {host.name} broke off: {told}")
            found[host.engine.kind] = {"failed": 0, "broke_off": told}
    return found


async def _cut(chain: Chain, world: World, host: Host, times: int) -> dict[str, Any]:
    """SIGTERM for an engine that has requests in flight, each time after the host has come back."""
    outcomes: list[Outcome] = []
    for _ in range(times):
        traffic = _users(chain, world, CONTROL_STREAMS, CONTROL_RATE)
        async with asyncio.TaskGroup() as users:
            traffic.start(users)
            try:
                await _strike(world, host)
            finally:
                await traffic.stop()
        outcomes += traffic.outcomes
        failed = sum(not outcome.ok for outcome in traffic.outcomes)
        say(f"drains: SIGTERM for {host.name} without a drain: failed {failed} of {len(traffic.outcomes)}")
    return control(outcomes, times)


async def _strike(world: World, host: Host) -> None:
    async def another() -> bool:
        return host.pid("engine") not in (0, engine)

    await _busy(world, host)
    engine = host.pid("engine")
    kill(engine, signal.SIGTERM)
    await until(f"{host.name}'s engine is another one", another, BACK)
    await until_serving(world, host, BACK)


async def _busy(world: World, host: Host) -> None:
    """Until the edge has two requests open there: each is over within seconds."""

    async def busy() -> bool:
        return (await at_edge(world, host))[0] > 1

    await world.until(f"{host.name} has requests in flight", busy, 120)


def control(outcomes: list[Outcome], times: int) -> dict[str, Any]:
    failed = [outcome for outcome in outcomes if not outcome.ok]
    return {
        "times": times,
        "requests": len(outcomes),
        "failed": len(failed),
        "causes": dict(Counter(_cause(outcome) for outcome in failed)),
    }


def _cause(outcome: Outcome) -> str:
    return " ".join(part for part in (answered_by(outcome), outcome.kind) if part) + f": {outcome.cause}"
