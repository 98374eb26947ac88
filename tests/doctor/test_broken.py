"""Broken set-ups, one fault at a time: doctor names its hop and cure, and no other hop."""

import pytest
from tests.support.clinic import Clinic, named
from tests.support.faults import FAULTS, Fault


def test_who_is_well_is_all_green(clinic: Clinic) -> None:
    clinic.recover()
    results = clinic.examine()
    assert named(results) == {}
    assert sum(result.verdict == "ok" for result in results) >= 45


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_one_fault_is_one_hop(clinic: Clinic, fault: Fault) -> None:
    clinic.recover()
    with fault.breaks(clinic) as direction:
        results = clinic.examine(direction)
    found = named(results)
    said = {
        hop: [(r.check.name, str(r.verdict), r.outcome.evidence) for r in rs] for hop, rs in found.items()
    }
    assert list(found) == [fault.hop], said
    (blamed,) = found[fault.hop]
    assert blamed.check.name == fault.check, said
    assert fault.cure in blamed.outcome.cure
    assert blamed.outcome.evidence


def test_after_all_faults_it_is_well_again(clinic: Clinic) -> None:
    clinic.recover()
    assert named(clinic.examine()) == {}
