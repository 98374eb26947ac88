"""Random stories of one host: the laws hold at every tick, and from everywhere a way leads back."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.world import World

from inferagent.adapters.saved_state import decode, encode
from inferagent.model.desired import EngineKind, Terms
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.saved import Memory
from inferagent.policy.decide import decide

Deed = Callable[[World], None]
NOBODY = float("inf")


def assigning(part: str, name: str, value: object) -> Deed:
    return lambda world: setattr(getattr(world, part) if part else world, name, value)


def park(world: World) -> None:
    world.desired = replace(world.desired, parked="" if world.desired.parked else "nobody asked for an hour")


def stall(world: World) -> None:
    world.engine.hung_until = world.now + 50.0


def person_starts(world: World) -> None:
    world.engine.start(world.now)


DEEDS: dict[str, Deed] = {
    "engine killed": lambda w: w.engine.kill(w.now) if w.engine.alive else None,
    "engine killed for good": lambda w: (setattr(w.engine, "supervised", False), w.engine.kill(w.now))[0],
    "engine hangs": assigning("engine", "hung_until", NOBODY),
    "engine stalls": stall,
    "engine answers wrongly": assigning("engine", "wrong", True),
    "engine answers rightly": assigning("engine", "wrong", False),
    "engine refuses": assigning("engine", "refuses", True),
    "engine stopped by a person": lambda w: w.engine.person_stops(),
    "engine started by a person": person_starts,
    "model gone": assigning("engine", "has_model", False),
    "model back": assigning("engine", "has_model", True),
    "engine degraded": assigning("engine", "degraded", "runs on the CPU"),
    "LAN request": assigning("engine", "lan", 1),
    "no LAN request": assigning("engine", "lan", 0),
    "counters gone": assigning("engine", "metrics", "na"),
    "counters fail": assigning("engine", "metrics", "failed"),
    "counters back": assigning("engine", "metrics", "ok"),
    "blind": assigning("engine", "blind", True),
    "seeing": assigning("engine", "blind", False),
    "connector killed": lambda w: w.connector.kill(w.now) if w.connector.alive else None,
    "line cut": assigning("connector", "edge", False),
    "line back": assigning("connector", "edge", True),
    "API lost": assigning("pool", "readable", False),
    "API back": assigning("pool", "readable", True),
    "writes refused": assigning("pool", "writes", "refused"),
    "writes late": assigning("pool", "writes", "late"),
    "writes well": assigning("pool", "writes", "ok"),
    "another hand disables": lambda w: w.pool.set(False),
    "another hand enables": lambda w: w.pool.set(True),
    "peer dies": lambda w: w.pool.set_peers(*[False] * len(w.pool.peers)),
    "peer lives": lambda w: w.pool.set_peers(*[True] * len(w.pool.peers)),
    "drain": lambda w: w.drain(),
    "drain --last --stop-engine": lambda w: w.drain(last=True, stop_engine=True),
    "resume": lambda w: w.resume(),
    "park": park,
    "agent killed": lambda w: w.kill_agent(2.0),
    "agent away": lambda w: w.kill_agent(40.0),
    "reboot": lambda w: w.reboot(),
    "sleep": lambda w: w.suspend(3600.0),
    "disk full": assigning("", "disk_full", True),
    "disk free": assigning("", "disk_full", False),
    "GPU lost": assigning("", "gpu_fault", "lost"),
    "units unreadable": assigning("", "units_unknown", True),
    "units readable": assigning("", "units_unknown", False),
}

STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from([1.0, 3.0, 8.0, 20.0, 45.0])),
    min_size=1,
    max_size=8,
)
SHAPES = st.builds(
    Terms,
    engine=st.sampled_from(EngineKind),
    membership=st.sampled_from([MembershipKind.OWN_POOL] * 3 + [MembershipKind.PULL, MembershipKind.REPLICA]),
    alone=st.booleans(),
    made_by_setup=st.just(True),
    stop_when_parked=st.booleans(),
    monitor_bound=st.just(60.0),
)


def heal(world: World) -> None:
    """Everything but the host's own state is well again, and the operator says so."""
    for name in ("engine answers rightly", "model back", "no LAN request", "counters back", "seeing"):
        DEEDS[name](world)
    for name in ("line back", "API back", "writes well", "peer lives", "disk free", "units readable"):
        DEEDS[name](world)
    world.engine.degraded, world.engine.supervised, world.connector.supervised = "", True, True
    world.desired = replace(world.desired, parked="")
    if world.saved.faults or world.gpu_fault:
        world.reboot()
    if world.engine.by_person:
        world.engine.start(world.now)
    world.run(120.0, step=3.0)  # late writes land, and another hand's word is seen as such
    world.resume()


@settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=True
)
@given(SHAPES, STEPS)
def test_the_laws_hold_and_a_healed_host_serves_again(terms: Terms, steps: list[tuple[str, float]]) -> None:
    world = World(terms)
    world.connector.start(world.now)
    world.run(60.0, step=2.0)
    for name, seconds in steps:
        DEEDS[name](world)
        world.run(seconds, step=1.0)
    remembers_all(world)
    heal(world)
    world.until(lambda w: w.phase is Phase.SERVING, 4000.0, step=3.0)


def remembers_all(world: World) -> None:
    """Deciding twice is deciding once, and the saved state survives the disk whole."""
    observed = world.observed()
    first = decide(observed, world.desired, world.saved)
    assert decide(observed, world.desired, world.saved) == first
    assert decode(encode(first.saved)) == replace(first.saved, memory=Memory())


BLINDNESS = (
    "blind",
    "counters gone",
    "counters fail",
    "API lost",
    "units unreadable",
    "connector unreadable",
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(EngineKind),
    st.lists(st.tuples(st.sampled_from(BLINDNESS), st.sampled_from([2.0, 15.0, 70.0])), max_size=6),
)
def test_readings_that_are_missing_move_nobody(kind: EngineKind, steps: list[tuple[str, float]]) -> None:
    world = World(Terms(engine=kind, made_by_setup=True))
    world.connector.start(world.now)
    world.until(lambda w: w.phase is Phase.SERVING, 100.0, step=2.0)
    joined = len(world.arrows())
    for name, seconds in steps:
        if name == "connector unreadable":
            world.connector.metrics = not world.connector.metrics
        else:
            DEEDS[name](world)
        world.run(seconds, step=1.0)
    assert len(world.arrows()) == joined
    assert not world.pool.writes_seen[1:]
