"""The desk of a configured host: each request reaches whoever answers it."""

import pytest
from tests.support.agent import Agent
from tests.support.answers import ask
from tests.support.virtual import run

from inferagent.programs.front import FrontDesk
from inferagent.runtime.desk import ROUTES, Answer, DrainRequest, LendRequest

DONE = Answer(True, "done")


async def done() -> Answer:
    return DONE


@pytest.fixture
def desk() -> FrontDesk:
    return FrontDesk(Agent().loop, done, lambda: "inferagent_up 1\n", done)


def test_every_path_has_somebody_who_answers(desk: FrontDesk) -> None:
    bodies = {
        "/v1/lend": b'{"for": 60}',
        "/v1/going": b'{"seconds": 20}',
        "/v1/fault/clear": b'{"all": true}',
    }
    for path, route in ROUTES.items():
        code, _ = ask(desk, route.method, path, bodies.get(path, b""))
        assert code in {200, 409, 503}, path


def test_what_others_do_is_passed_on(desk: FrontDesk) -> None:
    for path in ("/v1/reload", "/v1/notify/test"):
        assert ask(desk, "POST", path) == (200, {"api": 1, "ok": True, "message": "done", "cure": ""})
    assert ask(desk, "GET", "/v1/metrics") == (200, "inferagent_up 1\n")


def test_without_them_it_says_so() -> None:
    bare = FrontDesk(Agent().loop, done)
    code, document = ask(bare, "POST", "/v1/notify/test")
    assert (code, document["cure"]) == (409, "[notify] in config.toml")
    assert ask(bare, "GET", "/v1/metrics")[0] == 500


def test_the_operator_s_words_reach_the_loop() -> None:
    async def story() -> None:
        agent = Agent()
        async with agent.running(40):
            desk = FrontDesk(agent.loop, done)
            assert desk.status() is agent.status
            assert desk.drain(DrainRequest()).ok
            assert desk.resume().ok
            assert desk.lend(LendRequest(60.0, last=True)).ok
            hold = agent.loop.desired.hold
            assert hold is not None
            assert hold.lend

    run(story())
