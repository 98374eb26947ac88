"""Two days of the noise trace: nobody leaves in health, each hidden fault is found, named, and it bites."""

from dataclasses import replace

import pytest
from tests.fleet.noise.faults import FAULTS
from tests.fleet.noise.run import TERMS, run
from tests.fleet.noise.schedule import NOISES, episodes
from tests.fleet.noise.trace import KINDS

SEED = 716  # of the faults that it draws, most are of the kinds that are hard to see or to name
EARLY = 3  # its noise comes early


@pytest.mark.timeout(600)
def test_two_noisy_days_drain_nobody_and_hide_no_fault(record_property):
    report = run(2.0, SEED)
    for line in str(report).splitlines():
        record_property("figure", line)
    assert not report.problems, "\n".join(report.problems)
    assert len(report.judge.cases) >= 4
    assert all(case.back for case in report.judge.cases)


WORSE = [{"hang_frozen_traffic": 4.0}, {"hang_frozen": 15.0}, {"falls": 1}]


@pytest.mark.parametrize("worse", WORSE, ids=str)
def test_a_worse_judge_drains_on_such_noise(worse):
    report = run(2.0, EARLY, replace(TERMS, **worse), until_false=True)
    assert any("drained" in line for line in report.judge.false)


def test_a_blind_judge_finds_no_hang():
    blind = replace(TERMS, hang_frozen=9e9, hang_frozen_traffic=9e9, stuck_load=9e9)
    report = run(0.2, EARLY, blind, names=("hang under traffic",))
    assert len(report.judge.cases) == 2
    assert all("LATE" in str(case) for case in report.judge.cases)


def test_every_noise_comes_in_two_days():
    found = {(episode.host, episode.name) for episode in episodes(2.0, KINDS, SEED)}
    for number, kind in enumerate(KINDS):
        for noise in NOISES:
            assert kind not in noise.engines or (number, noise.name) in found


def test_the_trace_is_the_same_for_the_same_seed():
    assert episodes(1.0, KINDS, SEED) == episodes(1.0, KINDS, SEED)
    assert episodes(1.0, KINDS, SEED) != episodes(1.0, KINDS, SEED + 1)


def test_thirty_days_hide_fifty_faults():
    counts = [sum(times for _, times in FAULTS[kind]) for kind in KINDS]
    assert counts == [25, 25]
