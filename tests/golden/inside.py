"""States of a host that is in the pool, on its way in, or on its way out."""

from dataclasses import replace

from tests.golden.made import OLLAMA, TERMS, State, connector, engine, gpu, left, out, val, well
from tests.support import build
from tests.support.build import NOW

from inferagent.model.desired import Desired, Hold, Mode
from inferagent.model.engine import Load, Outcome
from inferagent.model.gpu import GpuReport
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, NotAvailable, Value
from inferagent.model.saved import Write
from inferagent.model.tunnel import Traffic

HOLD = Hold("2026-11-22T12:06:00+01:00", "new disk")
HUNG = {
    "generation": val(build.generation(Outcome.UNANSWERED, begun=NOW - 20, seconds=6.0), NOW - 14),
}
STILL = build.memory(
    arrivals=9, moved_at=NOW - 33, load_since=NOW - 300, asked_since=NOW - 30, generation_ok_at=NOW - 400
)
PEERS = tuple(build.endpoint(name, effective=name == "b", rank=1) for name in "bcd")
KEPT = Failed("cannot read the pool: cannot reach api.cloudflare.com: timed out", NOW - 2)


def busy(now, running=1, through=1):
    return {
        "engine": engine(now, load=val(Load(running, 0), now)),
        "connector": connector(now, traffic=val(Traffic(9, through), now)),
    }


def slow_ollama(now):
    look = engine(now, degraded="model llama3:8b runs partly on the CPU (40 % on the GPU)")
    return well(
        now,
        engine=replace(
            look, models=val(frozenset({"llama3:8b"}), now), load=NotAvailable(now), lan=val(0, now)
        ),
    )


def ollama(now):
    look = engine(now, load=NotAvailable(now), lan=val(1, now))
    look = replace(look, models=val(frozenset({"llama3:8b"}), now))
    return well(now, engine=look, connector=connector(now, traffic=val(Traffic(9, 1), now)))


STATES = {
    "serving": State(lambda now: well(now, **busy(now, 2)), turned_at=NOW - 600),
    "serving-alone": State(lambda now: well(now, membership=val(build.view(), now - 3))),
    "serving-ollama": State(ollama, desired=Desired(OLLAMA)),
    "serving-two-models": State(
        lambda now: well(
            now, engine=engine(now, models=val(frozenset({"a/long-model-name-8B", "b/embedding-large"}), now))
        ),
        desired=Desired(
            replace(
                TERMS, names=("chat", "embed"), engine_names=("a/long-model-name-8B", "b/embedding-large")
            )
        ),
    ),
    "serving-pull": State(
        lambda now: well(now, membership=val(build.MembershipView(build.endpoint(), None), now - 3)),
        desired=Desired(replace(TERMS, membership=MembershipKind.PULL)),
    ),
    "serving-degraded": State(slow_ollama, desired=Desired(OLLAMA), ticks=3),
    "serving-hung-kept-in": State(
        lambda now: well(now, membership=val(build.view(*PEERS), now - 3), **busy(now), **HUNG),
        saved=build.saved(memory=STILL),
        ticks=2,
    ),
    "serving-membership-unknown": State(
        lambda now: well(now, membership=KEPT), last_read=Value(build.view(build.PEER), NOW - 250)
    ),
    "serving-state-not-saved": State(
        lambda now: well(
            now, save=Failed("cannot write /var/lib/inferagent/state.json: no space left on device", now)
        )
    ),
    "serving-two-agents": State(
        lambda now: well(
            now, membership=val(build.view(build.PEER, own=build.endpoint(machine="other")), now - 3)
        ),
        desired=Desired(replace(TERMS, machine="this")),
    ),
    "serving-not-effective": State(
        lambda now: well(
            now, membership=val(build.view(build.PEER, own=build.endpoint(healthy=False)), now - 3)
        )
    ),
    "serving-gpu-stuck": State(
        lambda now: well(
            now, gpus=val(GpuReport((gpu(0),), stuck="GPU 0: the driver has not answered for 40 s"), now)
        )
    ),
    "serving-three-connections": State(lambda now: well(now, connector=connector(now, ready=val(3, now)))),
    "serving-agent-troubles": State(
        lambda now: well(
            now, troubles=(("no-ready-program", "cannot start the ready program: port 8790 is taken"),)
        )
    ),
    "observe-serving": State(well, desired=Desired(TERMS, mode=Mode.OBSERVE)),
    "observe-engine-gone": State(
        lambda now: well(now, engine_unit=val(build.dead(exit="killed by signal 9"), now)),
        desired=Desired(TERMS, mode=Mode.OBSERVE),
    ),
    "joining-enabling": State(
        lambda now: out(now), saved=build.saved(Phase.JOINING, since=NOW - 2, last_write=Write(True, NOW - 1))
    ),
    "joining-monitor": State(
        lambda now: well(
            now, membership=val(build.view(build.PEER, own=build.endpoint(healthy=None)), now - 3)
        ),
        saved=build.saved(Phase.JOINING, since=NOW - 40, last_write=Write(True, NOW - 40, True, True)),
    ),
    "joining-api-lost": State(
        lambda now: well(now, membership=KEPT), saved=build.saved(Phase.JOINING, since=NOW - 40)
    ),
    "draining-operator": State(
        lambda now: out(now, **busy(now, 3, 2)),
        saved=left(
            Phase.DRAINING,
            since=NOW - 40,
            last_write=Write(False, NOW - 39, True, True),
            memory=build.memory(arrivals=9),
        ),
        desired=Desired(TERMS, hold=HOLD),
    ),
    "draining-not-proven": State(
        lambda now: well(now, engine_unit=val(build.dead(exit="killed by signal 9"), now)),
        saved=build.saved(),
    ),
    "draining-hung": State(
        lambda now: out(now, **busy(now, 2, 2), **HUNG),
        saved=left(Phase.DRAINING, since=NOW - 12, memory=STILL),
        ticks=2,
    ),
    "draining-flight-unknown": State(
        lambda now: out(
            now,
            engine=engine(now, load=build.failed(now)),
            connector=connector(now, traffic=build.failed(now)),
        ),
        saved=left(Phase.DRAINING, since=NOW - 40),
        desired=Desired(TERMS, hold=HOLD),
    ),
    "draining-host-going": State(
        lambda now: out(now, **busy(now, 1, 1)),
        saved=left(Phase.DRAINING, since=NOW - 12),
        desired=Desired(TERMS, going_until=NOW + 13),
    ),
}
