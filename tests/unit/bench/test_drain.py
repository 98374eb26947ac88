from tests.bench.drain import CONTROLS, Round, by_round, causes, kinds_of

from inferagent.lab.traffic_judge import Outcome

ROUNDS = [Round("a", 0.0, 10.0, 20.0), Round("b", 15.0, 20.0, 30.0)]


def outcome(end: float, cause: str = "") -> Outcome:
    return Outcome(end - 1, end, "plain", "a", cause)


def test_a_request_counts_in_each_round_within_which_it_ended():
    assert by_round(ROUNDS, [outcome(5.0), outcome(16.0), outcome(29.9), outcome(30.0)]) == [2, 2]


def test_causes_are_counted_and_good_requests_have_none():
    seen = [outcome(1), outcome(2, "status 502"), outcome(3, "status 502"), outcome(4, "too slow")]
    assert causes(seen) == {"status 502": 2, "too slow": 1}


def test_streams_of_the_usual_load_last_half_a_minute():
    plain, stream = kinds_of(CONTROLS["settle_and_quiet_skipped"][1])
    assert (stream.stream, stream.tokens) == (True, 150)
    assert stream.bound > 30 > plain.bound
    assert not plain.stream


def test_sparse_load_has_no_streams():
    assert [kind.stream for kind in kinds_of(CONTROLS["sparse_as_shipped"][1])] == [False]
