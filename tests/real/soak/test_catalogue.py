"""The faults are dealt by the seed, all of them, and the agent is ended early."""

from itertools import islice

from tests.real.soak.catalogue import FIRST, deal, faults


def dealt(seed: int, count: int) -> list[str]:
    return [fault.name for fault in islice(deal(faults("ollama"), seed), count)]


def test_a_seed_deals_the_same_faults_again() -> None:
    assert dealt(3, 50) == dealt(3, 50)
    assert dealt(3, 50) != dealt(4, 50)


def test_each_round_holds_every_fault_once() -> None:
    names = {fault.name for fault in faults("ollama")}
    assert len(names) == len(faults("ollama"))
    found = dealt(5, 2 * len(names))
    assert set(found[: len(names)]) == set(found[len(names) :]) == names


def test_those_that_end_the_agent_come_early() -> None:
    ending = {fault.name for fault in faults("vllm") if fault.ends_agent}
    assert ending
    for seed in range(20):
        assert ending <= set(dealt(seed, FIRST))


def test_a_fault_that_makes_a_host_leave_says_by_which_cause() -> None:
    for engine in ("vllm", "ollama"):
        for fault in faults(engine):
            assert bool(fault.causes) == (fault.leaves != "never"), fault.name
