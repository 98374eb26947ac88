"""Requests in flight, by way in."""

import pytest
from tests.support.build import NOW, connector, dead, failed, look, observed, val

from inferagent.model.decision import InFlight
from inferagent.model.engine import Load
from inferagent.model.observed import Observed
from inferagent.model.reading import NotAvailable
from inferagent.model.tunnel import Traffic
from inferagent.policy.flight import in_flight, settled

NA = NotAvailable(NOW)


def ollama(tunnel: object, lan: object) -> Observed:
    return observed(engine=look(load=NA, lan=lan), connector=connector(traffic=tunnel))


def test_vllm_counts_all_and_the_gauge_says_which_came_through_the_tunnel():
    seen = observed(engine=look(load=val(Load(3, 1))), connector=connector(traffic=val(Traffic(9, 2))))
    assert in_flight(seen) == InFlight(2, 2)
    assert settled(seen) == 4


def test_ollama_is_counted_by_the_gauge_and_the_sockets():
    assert in_flight(ollama(val(Traffic(9, 1)), val(1))) == InFlight(1, 1)


@pytest.mark.parametrize(
    ("tunnel", "lan", "count"),
    [
        (val(Traffic(0, 0)), val(0), 0),
        (val(Traffic(0, 0)), NA, 0),
        (failed(), val(0), None),
        (val(Traffic(0, 0)), failed(), None),
    ],
)
def test_what_failed_might_hide_a_request_and_what_is_not_available_does_not_count(tunnel, lan, count):
    assert settled(ollama(tunnel, lan)) == count


def test_a_vllm_whose_counters_fail_is_not_known_to_be_empty():
    assert settled(observed(engine=look(load=failed()))) is None


def test_a_dead_engine_has_none_and_nothing_comes_through_a_dead_connector():
    assert settled(observed(engine_unit=val(dead()), engine=look(load=failed()))) == 0
    seen = observed(
        engine=look(load=NA, lan=val(0)), connector=connector(traffic=failed()), connector_unit=val(dead())
    )
    assert settled(seen) == 0


def test_what_an_earlier_life_left_running_may_still_answer():
    assert settled(observed(engine_unit=val(dead(leftovers=2)), engine=look(load=failed()))) is None
