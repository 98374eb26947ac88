"""Asking the engine under the name by which users come."""

from tests.unit.adapters.local_bench import BREAK, LEAVES_SOCKETS, HandClock, Reply, bench

from inferagent.adapters.engine.admission import EVERY, Admission
from inferagent.adapters.local_http import LocalHttp

pytestmark = LEAVES_SOCKETS
NAME, PLACE = "a.example.com", "GET /api/version"


def picky(request):
    """As Ollama does on loopback."""
    return Reply(200) if request.headers["host"] == "localhost" else Reply(403)


async def test_a_name_that_is_refused_is_asked_at_each_look_until_it_is_taken():
    async with bench(**{PLACE: picky}) as server:
        name = [NAME]
        clock = HandClock()
        one = Admission(LocalHttp(server.url), clock, lambda: name[0], "/api/version")
        assert [await one.look(1.0), await one.look(1.0)] == [NAME, NAME]
        name[0] = "localhost"
        assert [await one.look(1.0), await one.look(1.0)] == ["", ""]
        assert [request.headers["host"] for request in server.seen] == [NAME, NAME, "localhost"]
        clock.at += EVERY
        assert await one.look(1.0) == ""
        assert len(server.seen) == 4
        await one.http.aclose()


async def test_without_an_answer_what_was_known_of_the_name_stands():
    async with bench(**{PLACE: picky}) as server:
        name = [NAME]
        one = Admission(LocalHttp(server.url), HandClock(), lambda: name[0], "/api/version")
        assert await one.look(1.0) == NAME
        server.routes[PLACE] = BREAK
        assert await one.look(1.0) == NAME
        name[0] = "b.example.com"
        assert await one.look(1.0) == ""
        await one.http.aclose()


async def test_an_unknown_name_is_not_asked_for():
    async with bench(**{PLACE: Reply(403)}) as server:
        one = Admission(LocalHttp(server.url), HandClock(), str, "/api/version")
        assert await one.look(1.0) == ""
        assert server.seen == []
