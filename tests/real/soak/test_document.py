"""The bars of the document that are more than a count."""

import asyncio

from tests.real.soak.document import leaving, orphans, short_life
from tests.real.soak.explain import Explained
from tests.real.soak.family import Ending
from tests.real.soak.fault import Chapter, Fault
from tests.real.soak.measure import Sample

MUST = Fault("engine killed", lambda _: asyncio.sleep(0), "must", frozenset({"engine-gone"}))
MAY = Fault("worker killed", lambda _: asyncio.sleep(0), "may", frozenset({"engine-gone"}))


def samples(*lives: int) -> list[Sample]:
    """Of so many samples each, one a second."""
    pids = [pid for pid, count in enumerate(lives) for _ in range(count)]
    return [Sample(float(at), "agent", pid, {}) for at, pid in enumerate(pids)]


def test_the_last_life_has_to_be_half_of_the_soak() -> None:
    assert short_life(samples(50, 50), 100.0) == ()
    assert short_life(samples(60, 40), 100.0) == ("it lasted 39 s of 100 s",)
    assert short_life([], 100.0) == ("it lasted 0 s of 100 s",)


def test_who_outlived_a_life_is_told_with_its_fault() -> None:
    well, ill = Ending(40.0, 2), Ending(40.0, 2, outlived=("worker (7) lives",))
    assert orphans([("engine killed", well)]) == ()
    assert orphans([("engine killed", well), ("worker stopped", ill)]) == (
        "worker stopped: worker (7) lives",
    )
    assert "12.0 MiB are left" in orphans([("engine killed", Ending(40.0, 2, left=12.0))])[0]


def test_who_must_leave_has_written_it() -> None:
    chapters = [Chapter(MUST, 0.0, 0.0, 1.0, 9.0), Chapter(MAY, 10.0, 10.0, None, 19.0)]
    left = Explained("soaked", 0.5, False, MUST.name, "engine-gone")
    assert leaving(chapters, [left]) == ()
    back = Explained("soaked", 5.0, True, MUST.name, "")
    assert leaving(chapters, [back]) == ("engine killed: the agent did not write that it leaves",)
