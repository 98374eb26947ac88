import pytest

from inferagent.cli.client import Reply, UnreachableError
from inferagent.cli.follow import ABSENCE, End, Wait, follow

DRAIN = Wait("out", 60.0, held=True)
RESUME = Wait("serving", 60.0, held=False)
LEND = Wait("out", 60.0, held=True, lent=True)
STOPS = Wait("out", 60.0, held=True, down=True)


class World:
    """Looks in order (the last repeats; None: the agent is away), on a clock that only sleep moves."""

    def __init__(self, *looks: tuple[str, str, str] | None) -> None:
        self.looks, self.now, self.said = list(looks), 0.0, []

    def look(self) -> Reply:
        one = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if one is None:
            raise UnreachableError("cannot reach the agent", "start it")
        phase, hold, sentence = one
        return Reply(200, "", {"phase": phase, "hold": hold, "sentence": sentence})

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def follow(self, wait: Wait) -> End:
        return follow(wait, self.look, self.said.append, lambda: self.now, self.sleep)


def test_each_new_sentence_is_said_once():
    world = World(
        ("serving", "", "serving"),
        ("draining", "disk", "draining, 2 in flight"),
        ("draining", "disk", "draining, 2 in flight"),
        ("draining", "disk", "draining, 1 in flight"),
        ("out", "disk", "out, held: disk"),
    )
    assert world.follow(DRAIN) == End(0)
    assert world.said == ["serving", "draining, 2 in flight", "draining, 1 in flight", "out, held: disk"]


def test_out_without_the_hold_is_not_yet_what_was_asked():
    world = World(
        ("out", "", "out, warming"), ("out", "", "out, warming"), ("out", "disk", "out, held: disk")
    )
    assert world.follow(DRAIN).code == 0
    assert world.said[-1] == "out, held: disk"


def test_the_wait_has_a_limit():
    end = World(("draining", "disk", "draining")).follow(DRAIN)
    assert end.code == 1
    assert "not out within 60 s" in end.text


@pytest.mark.parametrize(
    ("wait", "looks", "says"),
    [
        (DRAIN, [("draining", "disk", "a"), ("joining", "", "b")], "it was resumed meanwhile"),
        (
            RESUME,
            [("out", "disk", "a"), ("out", "", "b"), ("out", "disk", "c")],
            "it is held again meanwhile",
        ),
    ],
)
def test_another_person_s_word_ends_the_wait(wait, looks, says):
    end = World(*looks).follow(wait)
    assert end.code == 1
    assert says in end.text


def test_a_resume_is_over_when_the_host_serves():
    world = World(("out", "disk", "out, held: disk"), ("out", "", "out, ready"), ("serving", "", "serving"))
    assert world.follow(RESUME) == End(0)


def test_an_agent_that_restarts_meanwhile_is_waited_for():
    world = World(("draining", "disk", "a"), None, None, None, ("out", "disk", "b"))
    assert world.follow(DRAIN).code == 0


def test_an_agent_that_stays_away_is_unreachable():
    world = World(("draining", "disk", "a"), None)
    assert world.follow(DRAIN) == End(3, "cannot reach the agent", "start it")
    assert ABSENCE < world.now < ABSENCE + 2


def documents(*found: dict, wait: Wait = LEND) -> tuple[End, list[float]]:
    """Follows what is shown one after the other; the last repeats."""
    shown, now = list(found), [0.0]

    def look() -> Reply:
        return Reply(200, "", shown.pop(0) if len(shown) > 1 else shown[0])

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return follow(wait, look, lambda said: None, lambda: now[0], sleep), now


def test_lending_is_done_when_the_engine_is_down_too():
    out = {"phase": "out", "hold": "operator"}
    end, now = documents(out, out, {**out, "lent": True})
    assert (end, now) == (End(0), [1.0])
    end, _ = documents(out)
    assert end.code == 1


@pytest.mark.parametrize("ended", ["stopped", "failed (exit 1)", "missing"])
def test_a_drain_that_stops_the_engine_is_done_when_it_is_stopped(ended):
    out = {"phase": "out", "hold": "operator"}
    running, gone = ({**out, "engine": {"state": state}} for state in ("stopping", ended))
    end, now = documents(running, gone, wait=STOPS)
    assert (end, now) == (End(0), [0.5])
    end, _ = documents(running, wait=STOPS)
    assert (end.code, end.text) == (1, "cannot wait any longer: the engine still runs")


def test_in_observe_mode_nobody_waits_for_a_join():
    end, now = documents({"phase": "out", "hold": "", "mode": "observe"}, wait=RESUME)
    assert (end.code, end.cure, now) == (1, 'mode = "act" in config.toml', [0.0])
    end, _ = documents({"phase": "serving", "hold": "", "mode": "observe"}, wait=RESUME)
    assert end == End(0)
