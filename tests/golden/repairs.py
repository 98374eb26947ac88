"""States of a host that is out because something is ill: what is being repaired, and what needs a person."""

from dataclasses import replace

from tests.golden.inside import HUNG, STILL, busy
from tests.golden.made import OLLAMA, TERMS, State, cold, connector, engine, gpu, left, out, val, well
from tests.support import build
from tests.support.build import NOW

from inferagent.model.desired import Desired
from inferagent.model.engine import Occupant, Outcome
from inferagent.model.gpu import GpuReport
from inferagent.model.observed import Job
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, NotAvailable
from inferagent.model.saved import Write
from inferagent.model.tunnel import Ingress, IngressRule
from inferagent.model.unit import UnitState

CHILDREN = replace(TERMS, engine_unit="", connector_unit="")
KILLED = "killed by signal 9"
RULES = (
    IngressRule("gpu-home.example.com", r"^/\.inferagent/ready$", "http://127.0.0.1:8790"),
    IngressRule("gpu-home.example.com", "", "http://127.0.0.1:8000"),
)
SINCE = NOW - 240
FAULT_WRITE = Write(False, SINCE + 1.1, True, True)


def gone(now, **fields):
    return out(now, engine_unit=val(build.dead(**({"exit": KILLED} | fields)), now))


def because(code, text, **fields):
    """The cause of leaving."""
    return build.cause(code=code, text=text, since=SINCE, **fields)


def wrong(now):
    answer = build.generation(Outcome.WRONG, begun=NOW - 4)
    return out(
        now, generation=val(replace(answer, detail="chat: 500 CUDA error: device-side assert"), NOW - 3)
    )


def no_edge(now):
    return out(now, connector=connector(now, ready=val(0, now)))


def blind(now):
    return out(now, engine_unit=Failed("cannot read the unit vllm.service: the bus does not answer", now))


STATES = {
    "recovering-engine-gone": State(
        gone,
        saved=left(
            last_write=FAULT_WRITE, cause=because("engine-gone", f"the engine's process is gone ({KILLED})")
        ),
    ),
    "recovering-starting": State(
        lambda now: replace(gone(now), jobs=(("engine", Job(True, now - 5)),)), saved=left()
    ),
    "recovering-waits-after-restart": State(gone, saved=left(restarts=(NOW - 400, NOW - 60))),
    "recovering-hung": State(
        lambda now: out(now, **busy(now, 2, 2), **HUNG), saved=left(since=NOW - 25, memory=STILL), ticks=2
    ),
    "recovering-refuses": State(
        lambda now: out(now, engine=engine(now, accepts=val(False, now))),
        saved=left(memory=build.memory(falls=(("engine-refuses", 1, NOW - 2),))),
    ),
    "recovering-answers-wrongly": State(
        wrong, saved=left(memory=build.memory(generation_bad=2, generation_ok_at=NOW - 300))
    ),
    "recovering-stuck-load": State(
        lambda now: out(now, **busy(now, 2, 2)),
        saved=left(memory=replace(STILL, moved_at=NOW - 700, load_since=NOW - 700, asked_since=None)),
    ),
    "recovering-warming-stuck": State(
        lambda now: out(now, engine=build.warming(now)),
        saved=left(memory=cold(warm_looked_at=NOW - 2, warm_moved_at=NOW - 640, warm_signature=(0, 0, 0.0))),
    ),
    "waiting-supervisor-restarts": State(
        lambda now: gone(now, state=UnitState.RESTARTING), saved=left(since=NOW - 20)
    ),
    "needs-operator-restarts-spent": State(gone, saved=left(restarts=(NOW - 3000, NOW - 1200, NOW - 300))),
    "needs-operator-keeps-dying": State(
        lambda now: out(
            now,
            engine_unit=val(build.unit(own_restarts=tuple(NOW - 40 * n for n in range(1, 6))), now),
            engine=build.warming(now),
        ),
        saved=left(memory=cold()),
    ),
    "needs-operator-port-taken": State(
        lambda now: replace(
            gone(now, state=UnitState.RESTARTING, exit="exit code 1"),
            occupant=val(Occupant(8000, 0, "python3"), now),
        ),
        saved=left(memory=cold(), restarts=(NOW - 400, NOW - 60)),
    ),
    "needs-operator-port-taken-starting": State(
        lambda now: replace(
            out(now, engine=engine(now, models=build.failed(now))), occupant=val(Occupant(8000, 33), now)
        ),
        saved=left(memory=cold(generation_bad=2)),
    ),
    "needs-operator-model-missing": State(
        lambda now: out(
            now, engine=engine(now, models=val(frozenset({"other"}), now)), generation=build.failed(now)
        ),
        saved=left(memory=cold(accepted=True)),
        ticks=3,
    ),
    "needs-operator-model-missing-ollama": State(
        lambda now: out(
            now, engine=engine(now, load=NotAvailable(now), lan=val(0, now)), generation=build.failed(now)
        ),
        saved=left(memory=cold(accepted=True)),
        desired=Desired(OLLAMA),
        ticks=3,
    ),
    "needs-operator-engine-masked": State(
        lambda now: gone(now, state=UnitState.MASKED, exit=""), saved=left()
    ),
    "needs-operator-engine-missing": State(
        lambda now: gone(now, state=UnitState.MISSING, exit=""), saved=left()
    ),
    "needs-operator-program-missing": State(
        lambda now: gone(now, state=UnitState.MISSING, exit="there is no program /opt/vllm/bin/vllm"),
        saved=left(),
        desired=Desired(CHILDREN),
    ),
    "needs-operator-disk-full": State(
        lambda now: replace(
            out(now, **busy(now, 2, 2), **HUNG),
            save=Failed("cannot write /var/lib/inferagent/state.json: no space left", now),
        ),
        saved=left(since=NOW - 60, memory=STILL),
        ticks=2,
    ),
    "needs-operator-unit-unreadable": State(
        blind, saved=left(memory=build.memory(sinces=(("engine-unit-unknown", NOW - 400),)))
    ),
    "reconnecting-no-edge": State(
        no_edge,
        saved=left(
            memory=build.memory(no_edge_since=NOW - 88, edge_looked_at=NOW - 2),
            connector_restarts=2,
            connector_restart_at=NOW - 30,
        ),
    ),
    "reconnecting-connector-gone": State(
        lambda now: replace(no_edge(now), connector_unit=val(build.dead(exit="exit code 1"), now)),
        saved=left(),
    ),
    "reconnecting-ingress-wrong": State(
        lambda now: out(now, connector=connector(now, ingress=val(Ingress(4, RULES[1:]), now))),
        saved=left(hold_off_until=NOW + 100),
        desired=Desired(replace(TERMS, ingress=RULES)),
        ticks=3,
    ),
    "connector-missing": State(
        lambda now: replace(
            no_edge(now),
            connector_unit=val(build.dead(UnitState.MISSING, exit="there is no program cloudflared"), now),
        ),
        saved=left(),
        desired=Desired(CHILDREN),
    ),
    "connector-masked": State(
        lambda now: replace(no_edge(now), connector_unit=val(build.dead(UnitState.MASKED), now)), saved=left()
    ),
    "draining-engine-runs-again": State(
        lambda now: well(
            now,
            engine_unit=val(build.unit("e2"), now),
            membership=val(build.out_view(), now - 3),
            **busy(now, 2, 2),
        ),
        saved=left(
            Phase.DRAINING,
            since=NOW - 20,
            cause=because("engine-gone", f"the engine's process is gone ({KILLED}), being started again"),
            hold_off_until=NOW + 41,
            memory=build.memory(incarnation="e2", arrivals=9),
        ),
    ),
    "waiting-gpu-lost": State(
        lambda now: out(
            now,
            engine_unit=val(build.dead(exit=KILLED), now),
            gpus=val(GpuReport((gpu(0), gpu(1, "lost"))), now),
        ),
        saved=left(
            last_write=FAULT_WRITE,
            cause=because("gpu-lost", "GPU 1 is lost to its driver"),
            memory=build.memory(sinces=(("gpu-lost", SINCE), ("engine-gone", SINCE))),
        ),
    ),
    "waiting-gpu-vanished": State(
        lambda now: out(now, gpus=val(GpuReport((gpu(0),), pci_count=val(2, now)), now)),
        saved=left(gpu_count=2),
    ),
    "draining-gpu-lost": State(
        lambda now: well(now, gpus=val(GpuReport((gpu(0), gpu(1, "lost"))), now)), saved=build.saved()
    ),
    "waiting-host-going": State(out, saved=left(since=NOW - 15), desired=Desired(TERMS, going_until=NOW + 8)),
    "out-by-the-verdict-alone": State(
        lambda now: well(
            now, membership=val(build.view(), now - 3), engine_unit=val(build.dead(exit=KILLED), now)
        ),
        saved=left(since=NOW - 30, restarts=(NOW - 500, NOW - 100), baseline=True),
    ),
    "still-arriving": State(
        lambda now: gone(now),
        saved=left(since=NOW - 60, memory=build.memory(arrived_at=NOW - 2, counted_since=NOW - 900)),
    ),
    "engine-restarted-while-draining": State(
        lambda now: out(now, engine_unit=val(build.unit("e2"), now), generation=build.failed(now)),
        saved=left(Phase.DRAINING, since=NOW - 20, memory=cold(incarnation="e2")),
    ),
}
