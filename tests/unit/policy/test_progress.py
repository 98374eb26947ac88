"""How far a load is, in numbers and in words."""

import pytest
from tests.support.build import NOW, desired, facts, look, memory, observed, saved, val

from inferagent.model.desired import EngineKind, Terms
from inferagent.model.engine import Warmup
from inferagent.model.phase import Phase
from inferagent.model.status import StatusWarming
from inferagent.policy.evidence import gather
from inferagent.policy.progress import progress, said

GB = 10**9


def loading(loaded=12 * GB, total=40 * GB, at=NOW):
    return observed(
        now=at, engine=look(at, accepts=val(False, at), warmup=val(Warmup(1, 1, 1.0, total, loaded), at))
    )


def cold(**fields):
    young = {"generation_ok_at": None, "warm_looked_at": NOW, "warm_moved_at": NOW} | fields
    return saved(Phase.OUT, memory=memory(**young))


def test_nothing_is_told_where_nothing_is_loaded():
    assert progress(facts(kept=cold())) is None
    assert progress(facts(seen=loading(loaded=0), kept=cold())) is None
    assert progress(facts(seen=loading(), kept=saved(Phase.OUT))) is None


def test_an_ollama_loads_only_when_somebody_asks():
    wish = desired(Terms(engine=EngineKind.OLLAMA))
    assert progress(facts(seen=loading(), kept=cold(), wish=wish)) is None
    assert progress(facts(seen=loading(), kept=cold(asked_since=NOW - 3), wish=wish)) is not None


def test_rate_and_rest():
    found = progress(facts(seen=loading(), kept=cold(warm_rate=28e6)))
    assert found == StatusWarming(12 * GB, 40 * GB, 28e6, 1000.0, 0.0)
    assert said(found) == "12.0/40.0 GB, 28 MB/s, about 17 min"


def test_what_was_read_beside_the_weights_never_exceeds_them():
    found = progress(facts(seen=loading(loaded=41 * GB), kept=cold(warm_rate=28e6)))
    assert (found.read, found.left) == (40 * GB, None)
    assert said(found) == "all 40.0 GB are read, and no generation has come back yet"


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (StatusWarming(3 * GB, None, 5e7, None), "3.0 GB read, 50 MB/s"),
        (StatusWarming(3 * GB, 4 * GB), "3.0/4.0 GB"),
        (StatusWarming(3 * GB, 4 * GB, 5e7, 20.0), "3.0/4.0 GB, 50 MB/s, about 20 s"),
        (StatusWarming(3 * GB, 4 * GB, 5e7, 2.0), "3.0/4.0 GB, 50 MB/s, about 10 s"),
        (StatusWarming(3 * GB, 4 * GB, 5e7, 7000.0), "3.0/4.0 GB, 50 MB/s, about 1.9 h"),
        (StatusWarming(3 * GB, 4 * GB, 5e7, 20.0, 41.0), "3.0/4.0 GB, nothing has moved for 41 s"),
        (
            StatusWarming(4 * GB, 4 * GB, still=60.0),
            "all 4.0 GB are read, and no generation has come back yet, nothing has moved for 60 s",
        ),
    ],
)
def test_in_words(load, text):
    assert said(load) == text


def test_the_rate_is_learnt_from_looks_and_smoothed():
    kept = memory(incarnation="e1", warm_looked_at=None)
    rates = []
    for second in range(5):
        read = (100 + 50 * second if second != 3 else 200) * 10**6
        kept = gather(loading(loaded=read, at=NOW + second), kept)
        rates.append(kept.warm_rate)
    assert rates[:2] == [None, 50e6]
    assert 45e6 < rates[3] < 50e6, "one look in which the disk paused changes little"


def test_a_gap_between_looks_and_a_new_life_forget_the_rate():
    kept = gather(loading(at=NOW + 1), memory(warm_looked_at=NOW, warm_rate=5e6))
    assert kept.warm_rate is not None
    assert gather(loading(at=NOW + 100), kept).warm_rate is None
