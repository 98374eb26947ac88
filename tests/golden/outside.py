"""States of a host that is out and not ill: held, parked, warming, ready, and memberships of other kinds."""

from dataclasses import replace

from tests.golden.inside import HOLD, KEPT
from tests.golden.made import GB, OLLAMA, TERMS, State, cold, engine, left, loading, out, val, well
from tests.support import build
from tests.support.build import NOW

from inferagent.model.desired import Desired, Mode
from inferagent.model.engine import Warmup
from inferagent.model.membership import MembershipKind
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Phase
from inferagent.model.reading import Failed, NotAvailable, Value
from inferagent.model.saved import Saved, Write

REPLICA = replace(TERMS, membership=MembershipKind.REPLICA)
STOPPED = build.dead(exit="exit code 0")
WARM = cold(warm_looked_at=NOW - 2, warm_moved_at=NOW - 2)


def ollama_loads(now):
    look = engine(
        now, load=NotAvailable(now), lan=val(0, now), warmup=val(Warmup(1, 1, 1.0, 5 * GB, 2 * GB), now)
    )
    return out(
        now, engine=replace(look, models=val(frozenset({"llama3:8b"}), now)), generation=build.failed(now)
    )


def yielding(now, **fields):
    """Out, with a better host in the pool."""
    pool = build.view(build.endpoint("better", rank=0), own=build.endpoint(effective=False, rank=1))
    return out(now, membership=val(pool, now - 3), **fields)


STATES = {
    "just-started": State(lambda now: Observed(now, build.BOOT), saved=Saved(boot=build.BOOT, since=NOW - 1)),
    "installing": State(
        lambda now: out(now, engine_unit=val(build.dead(), now)),
        saved=left(),
        desired=Desired(TERMS, installing="ollama 0.17.4"),
    ),
    "held": State(
        out,
        saved=left(last_write=Write(False, NOW - 239, True, True)),
        desired=Desired(TERMS, hold=HOLD),
    ),
    "held-without-reason": State(out, saved=left(), desired=Desired(TERMS, hold=replace(HOLD, reason=""))),
    "held-engine-stopped": State(
        lambda now: out(now, engine_unit=val(STOPPED, now)),
        saved=left(stopped_engine=True),
        desired=Desired(TERMS, hold=replace(HOLD, stop_engine=True)),
    ),
    "held-engine-gone": State(
        lambda now: out(now, engine_unit=val(build.dead(exit="killed by signal 9"), now)),
        saved=left(),
        desired=Desired(TERMS, hold=HOLD),
    ),
    "held-not-durable": State(out, saved=left(), desired=Desired(TERMS, hold=replace(HOLD, durable=False))),
    "held-still-in-the-pool": State(
        lambda now: well(now, jobs=(("push", Job(True, now - 1)),)),
        saved=left(since=NOW - 20, baseline=True, last_write=Write(False, NOW - 1)),
        desired=Desired(TERMS, hold=HOLD),
    ),
    "held-by-another-hand": State(out, saved=left(other_hand=True), turned_at=NOW - 300),
    "held-engine-stopped-by-person": State(
        lambda now: out(now, engine_unit=val(build.dead(stopped_by_person=True, exit="exit code 0"), now)),
        saved=left(),
    ),
    "held-connector-stopped-by-person": State(
        lambda now: out(now, connector_unit=val(build.dead(stopped_by_person=True), now)), saved=left()
    ),
    "held-replica": State(
        lambda now: out(
            now,
            connector_unit=val(build.dead(exit="exit code 0"), now),
            connector=build.connector(now, ready=val(0, now)),
            membership=val(build.MembershipView(build.endpoint(effective=False), None), now - 3),
        ),
        saved=left(),
        desired=Desired(REPLICA, hold=HOLD),
    ),
    "parked": State(yielding, saved=left(), desired=Desired(TERMS, parked="no request for 30 min")),
    "parked-engine-stopped": State(
        lambda now: yielding(now, engine_unit=val(STOPPED, now)),
        saved=left(stopped_engine=True),
        desired=Desired(replace(TERMS, stop_when_parked=True), parked="no request for 30 min"),
    ),
    "warming-progress": State(
        lambda now: loading(now, int(12.4 * GB - (NOW - now) * 38e6), int(40.1 * GB)),
        saved=left(memory=replace(WARM, warm_looked_at=None)),
        ticks=5,
    ),
    "warming-size-unknown": State(
        lambda now: loading(now, int(12.4 * GB - (NOW - now) * 38e6)),
        saved=left(memory=replace(WARM, warm_looked_at=None)),
        ticks=5,
    ),
    "warming-stands-still": State(
        lambda now: loading(now, int(12.4 * GB), int(40.1 * GB)),
        saved=left(
            memory=cold(warm_looked_at=NOW - 2, warm_moved_at=NOW - 95, warm_signature=(11825, 2956, 0.0))
        ),
    ),
    "warming-all-read": State(
        lambda now: loading(now, 41 * GB, int(40.1 * GB), cpu=NOW - now), saved=left(memory=WARM), ticks=2
    ),
    "warming-ollama": State(
        ollama_loads,
        saved=left(
            memory=cold(
                asked_since=NOW - 20, warm_looked_at=NOW - 2, warm_moved_at=NOW - 2, warm_loaded=int(1.5 * GB)
            )
        ),
        desired=Desired(OLLAMA),
    ),
    "warming-no-answer-yet": State(
        lambda now: out(now, generation=build.failed(now)), saved=left(memory=cold())
    ),
    "warming-held-off": State(
        lambda now: loading(now, 5 * GB, int(40.1 * GB)),
        saved=left(memory=WARM, hold_off_level=3, hold_off_until=NOW + 200),
    ),
    "ready-held-off": State(out, saved=left(hold_off_level=2, hold_off_until=NOW + 75)),
    "ready-joins-spent": State(out, saved=left(joins=tuple(NOW - 60 * n for n in range(1, 7)))),
    "ready-api-lost": State(
        lambda now: out(now, membership=KEPT), saved=left(), last_read=Value(build.out_view(), NOW - 500)
    ),
    "ready-state-not-saved": State(
        lambda now: out(
            now, save=Failed("cannot write /var/lib/inferagent/state.json: no space left on device", now)
        ),
        saved=left(),
    ),
    "ready-two-agents": State(
        lambda now: out(
            now,
            membership=val(
                build.view(build.PEER, own=build.endpoint(effective=False, machine="other")), now - 3
            ),
        ),
        saved=left(),
        desired=Desired(replace(TERMS, machine="this")),
    ),
    "observe-out": State(out, saved=left(), desired=Desired(TERMS, mode=Mode.OBSERVE)),
    "enabled-by-another-hand": State(
        lambda now: well(now),
        saved=left(memory=cold(), last_write=Write(False, NOW - 239, True, True)),
        turned_at=NOW - 3,
    ),
    "serving-replica": State(
        lambda now: well(now, membership=val(build.MembershipView(build.endpoint(), None), now - 3)),
        desired=Desired(REPLICA),
        saved=build.saved(Phase.SERVING),
    ),
}
