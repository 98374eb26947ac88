"""The table of checks: whole, in order, and every broken set-up in it."""

import pytest
from tests.support.faults import FAULTS

from inferagent.programs.doctor.table import CHECKS
from inferagent.programs.doctor.verdict import Hop

ALONE = {"config.valid", "host.spot", "host.doors"}
# Nobody can break these in the lab by one fault: others name it first.
UNBROKEN = {
    "credentials.service-token",
    "engine.counts",
    "dns.host",
    "dns.public",
    "dns.edge",
    "ready.public",
    "answer.host",
    "answer.public",
    "monitor.verdict",
    "host.disk",
}


def test_each_name_is_there_once():
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names)) >= 55


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_whatever_a_check_needs_stands_before_it(check):
    names = [one.name for one in CHECKS]
    before = names[: names.index(check.name)]
    assert set(check.needs) <= set(before)
    assert bool(check.needs) is (check.name not in ALONE)


def test_every_hop_of_the_way_is_looked_at():
    assert {check.hop for check in CHECKS} == set(Hop)


def test_the_broken_set_ups_cover_every_hop_and_nearly_every_check():
    assert {fault.hop for fault in FAULTS} == set(Hop)
    assert {check.name for check in CHECKS} - {fault.check for fault in FAULTS} == UNBROKEN


def test_titles_and_hops_fit_a_screen():
    assert all(len(f"FAIL  {c.hop}: {c.title}  ({c.name})") <= 80 for c in CHECKS)
