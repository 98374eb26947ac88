from tests.bench.drain import Round
from tests.real.bars.drains import Taken, _conditions, control, kinds_of

from inferagent.lab.traffic_judge import Outcome

ROUNDS = [Round("a", 0.0, 10.0, 50.0, 3, 7), Round("b", 0.0, 20.0, 21.0), Round("a", 60.0, 72.0, 90.0, 1, 2)]


def outcome(kind: str, took: float, cause: str = "", host: str = "") -> Outcome:
    return Outcome(100.0, 100.0 + took, kind, host, cause)


def test_the_control_tells_causes_by_kind() -> None:
    seen = [outcome("stream", 5, "no terminator", "cloudflare")] * 2 + [
        outcome("plain", 1),
        outcome("plain", 1, "status 502"),
    ]
    assert control(seen, 2) == {
        "times": 2,
        "requests": 4,
        "failed": 3,
        "causes": {"ollama stream: no terminator": 2, "plain: status 502": 1},
    }


def test_drains_are_told_by_host() -> None:
    told = _conditions(
        Taken(ROUNDS, [outcome("stream", 7, host="uvicorn"), outcome("plain", 1)], {"a": 1}), quick=False
    )
    assert told["drain_s"] == {"a": [10.0, 10.0, 12.0], "b": [20.0, 20.0, 20.0]}
    assert told["back_s"] == {"a": [18.0, 18.0, 40.0], "b": [1.0, 1.0, 1.0]}
    assert told["in_flight_as_a_drain_begins"] == {"a": 4, "b": 0}
    assert told["sent_there_after_a_drain_began"] == {"a": 9, "b": 0}
    assert told["stream_s"] == {"vllm": [7.0, 7.0, 7.0]}


def test_a_run_without_streams_is_told_too() -> None:
    assert _conditions(Taken(ROUNDS), quick=True)["stream_s"] == {}


def test_bounds_stay_below_those_of_the_edge() -> None:
    assert all(kind.bound < 120 for kind in kinds_of(0.5))
    assert {kind.stream for kind in kinds_of(0.5)} == {True, False}
