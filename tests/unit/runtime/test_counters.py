"""What the agent counts: each thing once, from the decisions that it sees."""

from collections.abc import Iterable

from tests.support import build
from tests.support.build import NOW

from inferagent.model.desired import Desired
from inferagent.model.engine import Outcome
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Phase
from inferagent.model.saved import Saved
from inferagent.policy.decide import decide
from inferagent.runtime.counters import Counters
from inferagent.runtime.exposition import exposition


def counted(seen: Iterable[Observed], saved: Saved | None = None) -> Counters:
    counters, kept = Counters(), saved or build.saved()
    for observed in seen:
        decision = decide(observed, Desired(), kept)
        counters.tick(observed, Desired(), decision)
        kept = decision.saved
    return counters


def at(second: float, **fields: object) -> Observed:
    whole = {"now": NOW + second, "engine_unit": build.val(build.unit(), NOW + second)}
    return build.observed(**(whole | fields))


def test_a_drain_is_counted_once_with_its_kind_and_its_write() -> None:
    gone = build.val(build.dead(exit="killed by signal 9"))
    under_way = (("push", Job(True, NOW + 1)), ("engine", Job(True, NOW + 1)))
    later = [at(second, engine_unit=gone, jobs=under_way) for second in (2, 3)]
    counters = counted([at(0), at(1, engine_unit=gone), *later])
    assert counters.ticks == 4
    assert dict(counters.drains) == {"certain": 1}
    assert counters.writes["out"] == 1
    assert counters.starts["engine"] == 1


def test_what_stood_when_the_agent_started_is_not_counted() -> None:
    assert counted([at(0), at(1)]).joins == 0


def test_a_join_is_counted() -> None:
    out = build.leaving(Phase.OUT, baseline=False)
    counters = counted([at(0, membership=build.val(build.out_view()))], out)
    assert counters.joins == 0, "it came with the first tick"
    held = build.leaving(Phase.OUT, hold_off_until=NOW + 1, baseline=False)
    seen = [at(n, membership=build.val(build.out_view(), NOW + n)) for n in range(3)]
    assert counted(seen, held).joins == 1


def test_a_generation_counts_once_however_often_it_is_seen() -> None:
    bad = build.val(build.generation(Outcome.WRONG, begun=NOW + 1))
    counters = counted([at(0), at(1), at(2, generation=bad), at(3, generation=bad)])
    assert dict(counters.generations) == {"ok": 1, "wrong": 1}


def test_a_failed_job_counts_once() -> None:
    failed = (("push", Job(ended=NOW, error="cannot")), ("engine", Job(ended=NOW)))
    again = (("push", Job(ended=NOW + 1, error="cannot", failures=2)),)
    counters = counted([at(0, jobs=failed), at(1, jobs=failed), at(2, jobs=again)])
    assert dict(counters.failures) == {"push": 2, "engine": 0}


def test_every_count_is_there_from_the_beginning() -> None:
    text = exposition(Counters().families())
    assert 'inferagent_drains_total{kind="operator"} 0\n' in text
    assert 'inferagent_pool_writes_total{to="out"} 0\n' in text
    assert 'inferagent_job_failures_total{job="connector"} 0\n' in text
    assert "inferagent_joins_total 0\n" in text
