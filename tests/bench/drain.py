"""drain_failed, drain_requests: what drains under load cost the users, with an edge that is late.

One host is never drained; the others are, each round after round, so that most of the time several are out.
The control drains with the shortest settle and quiet that a configuration may have.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, count, load_average, machine
from tests.bench.lab import Edge, engine_with, opened, programs, provision, say, serve, until, until_serving

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import World
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Kind, Outcome, mixed

TOKENS_PER_SECOND = 5
STREAM_SECONDS = 30
LEAST_REQUESTS = 2050
KINDS = ("vllm", "ollama", "vllm")
APART = 5.0  # seconds between the first drains of two hosts


@dataclass(frozen=True, slots=True)
class Load:
    """What users ask, evenly spread: `rate` a second, `streams` of them as streams of 30 s."""

    rate: float
    streams: float


USUAL, SPARSE = Load(6.0, 0.03), Load(1.0, 0.0)
# Under the usual load the wait for quiet guards a drain even without settle; where few ask, only settle does.
CONTROLS = {
    "settle_and_quiet_skipped": ('settle = "1s"\nquiet = "500ms"\n', USUAL),
    "sparse_settle_skipped": ('settle = "1s"\n', SPARSE),
    "sparse_as_shipped": ("", SPARSE),
}
SKIPPED = (
    "skipped means the shortest that the configuration takes: settle 1 s, quiet 0.5 s; sparse is 1 plain "
    "request a second over all hosts, so that 3 s often pass without an arrival"
)


@dataclass(frozen=True, slots=True)
class Round:
    """One drain and resume, in seconds of time.monotonic.

    `open` is how many requests it began with, `late` how many the edge still sent there before it was out.
    """

    host: str
    begun: float
    out: float
    back: float
    open: int = 0
    late: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a drain may take, how long its engine's end, and how long the host to serve again; seconds."""

    out: float = 90
    stopped: float = 60
    back: float = 180


async def measure(folder: Path, quick: bool) -> list[Figure]:
    """20 rounds (6 in a quick run), then the controls on the same hosts."""
    edge = Edge()
    conditions: dict[str, Any] = {**machine(), **edge.conditions()}
    async with opened(folder, edge, seed=3) as world:
        hosts = await _hosts(world)
        conditions |= programs(world.hosts) | _load()
        each, least = (2, 0) if quick else (7, LEAST_REQUESTS)
        rounds, outcomes = await _drains(world, hosts, USUAL, each, least)
        each = 1 if quick else 2
        beside = {name: await _control(world, hosts, name, each) for name in CONTROLS}
    drained = sorted(each.out - each.begun for each in rounds)
    conditions |= {"load_after": load_average(), "settle_s": 10, "quiet_s": 3, "rounds": len(rounds)}
    conditions |= {"drain_s": [round(drained[0], 1), round(drained[-1], 1)], "causes": causes(outcomes)}
    conditions["controls"] = SKIPPED
    failed = [outcome for outcome in outcomes if not outcome.ok]
    return [
        count("drain_failed", len(failed), by_round(rounds, failed), conditions, beside),
        count("drain_requests", len(outcomes), by_round(rounds, outcomes), conditions),
    ]


async def _hosts(world: World) -> list[Host]:
    """All serve; those that will be drained are returned."""
    world.add("stays", "vllm", 25)
    drained = [world.add(f"drained-{number}", kind, 25) for number, kind in enumerate(KINDS, 1)]
    for host in world.hosts:
        engine_with(
            host,
            LAB_TOKENS_PER_SECOND=str(TOKENS_PER_SECOND),
            LAB_START_SECONDS="0.5",
            OLLAMA_NUM_PARALLEL="64",
        )
    await provision(world, world.hosts)
    await serve(world, world.hosts)
    return drained


def _load() -> dict[str, Any]:
    return {
        "requests_per_s": USUAL.rate,
        "stream_share": USUAL.streams,
        "stream_s": STREAM_SECONDS,
        "plain_s": round(2 / TOKENS_PER_SECOND, 1),
    }


def _traffic(world: World, load: Load) -> Traffic:
    return Traffic(world.info["public"], PUBLIC_NAME, kinds_of(load), load.rate, world.public_host)


def kinds_of(load: Load) -> list[Kind]:
    stream = STREAM_SECONDS * TOKENS_PER_SECOND
    return mixed(load.streams, 2, stream, bound=10.0, stream_bound=2.0 * STREAM_SECONDS)


async def _drains(
    world: World, hosts: list[Host], load: Load, each: int, least: int
) -> tuple[list[Round], list[Outcome]]:
    traffic, rounds = _traffic(world, load), list[Round]()
    await drains(world, hosts, each, traffic, rounds, least)
    return rounds, traffic.outcomes


async def drains(
    world: World,
    hosts: list[Host],
    each: int,
    traffic: Traffic,
    rounds: list[Round],
    least: int = 0,
    patience: Patience = Patience(),
) -> None:
    """`each` rounds on every host while users ask, and on until there were `least` requests.

    `rounds` grows with each that came to its end.
    """
    async with asyncio.TaskGroup() as users:
        traffic.start(users)
        try:
            async with asyncio.TaskGroup() as group:
                for number, host in enumerate(hosts):
                    group.create_task(_again_and_again(world, host, each, number * APART, rounds, patience))
            await until("enough requests", lambda: _sent(traffic, least), 600)
        finally:
            await traffic.stop()


async def _sent(traffic: Traffic, least: int) -> bool:
    return traffic.sent >= least


async def _again_and_again(
    world: World, host: Host, each: int, first: float, rounds: list[Round], patience: Patience
) -> None:
    await asyncio.sleep(first)
    for number in range(each):
        rounds.append(await _round(world, host, patience))
        took = rounds[-1].out - rounds[-1].begun
        say(f"drain: {host.name} {number + 1} of {each}, out after {took:.1f} s")


async def at_edge(world: World, host: Host) -> tuple[int, int]:
    """Requests that the edge has open at this host now, and all that it has sent there."""
    pool, counters = (await world.pool(host))["id"], (await world.ask("GET", "/edge"))["counters"]
    return int(counters["open"].get(pool, 0)), int(counters["requests"].get(pool, 0))


async def _round(world: World, host: Host, patience: Patience) -> Round:
    now = asyncio.get_running_loop().time
    begun, (open_then, sent_then) = now(), await at_edge(world, host)
    where = ("--config", str(host.config))
    how = ("--wait", "--stop-engine", "--reason", "bench", "--limit", f"{patience.out:.0f}s")
    await host.command("drain", *where, *how, seconds=patience.out + 30)
    out, (_, sent) = now(), await at_edge(world, host)

    async def stopped() -> bool:
        return host.pid("engine") == 0

    await until(f"{host.name}'s engine stopped", stopped, patience.stopped)
    await host.command("resume", *where)
    await until_serving(world, host, patience.back)
    return Round(host.name, begun, out, now(), open_then, sent - sent_then)


async def _control(world: World, hosts: list[Host], name: str, each: int) -> dict[str, Any]:
    """The same drains, with other numbers: the agents are restarted, everything else goes on."""
    text, load = CONTROLS[name]
    for host in hosts:
        extra = host.config / "conf.d" / "bench.toml"
        extra.parent.mkdir(exist_ok=True)
        extra.write_text(f"[drain]\n{text}")
        await host.kill_agent()
    await serve(world, hosts)
    rounds, outcomes = await _drains(world, hosts, load, each, 0)
    failed = sum(not outcome.ok for outcome in outcomes)
    say(f"drain: {name}: failed {failed} of {len(outcomes)}")
    counted = {"failed": failed, "requests": len(outcomes), "rounds": len(rounds)}
    return {**counted, "causes": causes(outcomes)}


def by_round(rounds: list[Round], outcomes: list[Outcome]) -> list[int]:
    """How many requests ended within each round; rounds of several hosts overlap."""
    return [sum(each.begun <= outcome.end < each.back for outcome in outcomes) for each in rounds]


def causes(outcomes: list[Outcome]) -> dict[str, int]:
    failed = [outcome.cause for outcome in outcomes if outcome.cause]
    return {cause: failed.count(cause) for cause in sorted(set(failed))}
