"""How often the list of models is asked for."""

import pytest
from tests.unit.adapters.local_bench import HANG, LEAVES_SOCKETS, HandClock, Reply, bench

from inferagent.adapters.engine.models import EVERY, ModelList, names_in
from inferagent.adapters.local_http import LocalHttp
from inferagent.model.reading import Failed, Value
from inferagent.ports import PortError

pytestmark = LEAVES_SOCKETS


def names(body):
    return frozenset(body["names"])


async def test_asked_now_and_then_and_dated_when_it_was():
    clock = HandClock(100.0)
    async with bench(**{"GET /m": Reply(200, {"names": ["a"]})}) as server:
        http = LocalHttp(server.url)
        models = ModelList(http, clock, "/m", names)
        assert await models.look(lambda: 2.0) == Value(frozenset({"a"}), 100.0)
        clock.at += EVERY - 1
        assert await models.look(lambda: 2.0) == Value(frozenset({"a"}), 100.0)
        assert len(server.seen) == 1
        clock.at += 1
        assert await models.look(lambda: 2.0) == Value(frozenset({"a"}), 100.0 + EVERY)
        assert len(server.seen) == 2
        await http.aclose()


async def test_asked_again_after_a_new_connection():
    async with bench(**{"GET /m": Reply(200, {"names": ["a"]})}) as server:
        http = LocalHttp(server.url)
        models = ModelList(http, HandClock(), "/m", names)
        await models.look(lambda: 2.0)
        http.connects += 1
        await models.look(lambda: 2.0)
        assert len(server.seen) == 2
        await http.aclose()


async def test_asked_again_in_doubt_and_while_a_wanted_one_is_missing():
    async with bench(**{"GET /m": Reply(200, {"names": ["a", "b"]})}) as server:
        http = LocalHttp(server.url)
        models = ModelList(http, HandClock(), "/m", names, ("a",))
        await models.look(lambda: 2.0)
        models.doubt()
        await models.look(lambda: 2.0)
        await models.look(lambda: 2.0)
        assert len(server.seen) == 2
        server.routes["GET /m"] = Reply(200, {"names": ["b"]})
        models.doubt()
        for _ in range(3):
            assert await models.look(lambda: 2.0) == Value(frozenset({"b"}), 100.0)
        assert len(server.seen) == 5
        await http.aclose()


@pytest.mark.parametrize("reply", [HANG, Reply(401, b""), Reply(200, b"no json"), Reply(200, [])])
async def test_a_failure_is_not_kept(reply):
    async with bench(**{"GET /m": reply}) as server:
        http = LocalHttp(server.url)
        models = ModelList(http, HandClock(), "/m", names)
        found = await models.look(lambda: 0.2)
        assert isinstance(found, Failed)
        assert "cannot" in found.reason
        server.routes["GET /m"] = Reply(200, {"names": []})
        assert isinstance(await models.look(lambda: 2.0), Value)
        await http.aclose()


def test_the_names_in_a_list():
    assert names_in({"data": [{"id": "a"}, {"id": "b"}]}, "data", "id") == {"a", "b"}
    assert names_in({"data": None}, "data", "id") == frozenset()


@pytest.mark.parametrize(
    "body",
    [{}, {"data": {}}, {"data": ""}, {"data": [{"id": "a"}, 3]}, {"data": [{"id": 3}]}, {"error": "no"}],
)
def test_a_list_that_is_not_understood_says_nothing_of_any_model(body):
    with pytest.raises(PortError, match="cannot list the models"):
        names_in(body, "data", "id")
