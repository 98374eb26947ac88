"""Which failed requests a fault may cost."""

import asyncio

import pytest
from tests.real.soak.failures import SLACK, split
from tests.real.soak.fault import Chapter, Fault

from inferagent.lab.traffic_judge import Outcome

CACHE = 1.0
LOSES = Fault("engine killed", lambda _: asyncio.sleep(0), "must", loses=True, settles=3.0)
KEEPS = Fault("drain", lambda _: asyncio.sleep(0), "must")
ALL = Fault("edge refuses", lambda _: asyncio.sleep(0), "may", loses=True, everybody=True)
STRUCK, OUT, ENDED = 100.0, 105.0, 140.0


def chapter(fault: Fault, out: float | None = OUT) -> Chapter:
    return Chapter(fault, STRUCK - 1, STRUCK, out, ENDED)


def request(start: float, end: float, cause: str = "status 502") -> Outcome:
    return Outcome(start, end, "plain", "", cause)


@pytest.mark.parametrize(
    ("fault", "out", "start", "end", "broken"),
    [
        (LOSES, OUT, 90.0, 101.0, False),  # there at the blow
        (LOSES, OUT, 104.0, 104.1, False),  # before the edge let it go
        (LOSES, OUT, OUT + CACHE + SLACK - 0.1, 110.0, False),
        (LOSES, OUT, OUT + CACHE + SLACK + 0.1, 110.0, True),  # begun after it was out
        (LOSES, OUT, 90.0, 99.0, True),  # over before the blow
        (LOSES, None, 102.9, 104.0, False),  # it stayed, and had not settled
        (LOSES, None, 103.1, 104.0, True),
        (KEEPS, OUT, 101.0, 102.0, True),  # a drain costs nothing
        (ALL, None, 130.0, 131.0, False),  # nobody else was there
        (ALL, None, ENDED + 1, ENDED + 2, True),
    ],
)
def test_a_fault_may_cost_what_was_there_until_the_edge_let_go(
    fault: Fault, out: float | None, start: float, end: float, broken: bool
) -> None:
    forgiven, late = split([request(start, end)], [chapter(fault, out)], CACHE)
    assert len(late) == broken
    assert forgiven == ({} if broken else {fault.name: {"status 502": 1}})


def test_a_line_says_which_fault_came_before() -> None:
    _, late = split([request(120.0, 121.0, "too slow")], [chapter(LOSES)], CACHE)
    assert late == [
        "plain at ?: too slow, begun 20.0 s after the blow of engine killed, 15.0 s after the edge had let "
        "it go, took 1.0 s"
    ]
    assert "before any fault" in split([request(1.0, 2.0)], [chapter(LOSES)], CACHE)[1][0]


def test_what_did_not_fail_is_not_counted() -> None:
    assert split([request(101.0, 102.0, "")], [chapter(KEEPS)], CACHE) == ({}, [])
