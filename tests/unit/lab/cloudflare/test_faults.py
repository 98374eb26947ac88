from typing import Any

import pytest
from pydantic import ValidationError

from inferagent.lab.cloudflare.faults import Fault, Faults, first


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault(kind="status"), True),
        (Fault(kind="status", method="PATCH"), True),
        (Fault(kind="status", method="GET"), False),
        (Fault(kind="status", path="/pools/p$"), True),
        (Fault(kind="status", path="/monitors"), False),
        (Fault(kind="status", token="t1"), True),
        (Fault(kind="status", token="t2"), False),
        (Fault(kind="status", writes_only=True), True),
        (Fault(kind="stale"), False),
        (Fault(kind="late"), True),
    ],
)
def test_a_fault_hits_what_it_matches(fault: Fault, hit: bool) -> None:
    assert fault.hits("PATCH", "/accounts/a/load_balancers/pools/p", "t1") is hit


def test_reads_are_never_late_and_only_reads_are_stale() -> None:
    assert not Fault(kind="late").hits("GET", "/x", None)
    assert not Fault(kind="status", writes_only=True).hits("GET", "/x", None)
    assert Fault(kind="stale").hits("GET", "/x", None)


def test_a_count_runs_out(api: Any) -> None:
    faults = Faults(api.clock)
    faults.add(Fault(kind="status", path="/pools", count=2))
    taken = [len(faults.take("GET", path, None)) for path in ("/pools", "/zones", "/pools", "/pools")]
    assert taken == [1, 0, 1, 0]
    assert faults.in_force() == {}


def test_a_duration_runs_out(api: Any) -> None:
    faults = Faults(api.clock)
    faults.add(Fault(kind="hang", duration_s=10))
    api.clock.time += 9.9
    assert len(faults.take("GET", "/", None)) == 1
    api.clock.time += 0.1
    assert faults.take("GET", "/", None) == []


def test_faults_are_removed_one_by_one_or_all(api: Any) -> None:
    faults = Faults(api.clock)
    one, _two = faults.add(Fault(kind="hang")), faults.add(Fault(kind="reset"))
    assert faults.remove(one)
    assert not faults.remove(one)
    left = faults.take("GET", "/", None)
    assert (first(left, "reset") is not None, first(left, "hang")) == (True, None)
    faults.clear()
    assert faults.take("GET", "/", None) == []


@pytest.mark.parametrize(
    "body", [{"kind": "flood"}, {"kind": "hang", "path": "("}, {"kind": "hang", "for": 1}]
)
def test_a_fault_that_cannot_be_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Fault.model_validate(body)
