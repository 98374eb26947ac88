"""When a loaded model would go, and setting that again."""

import pytest
from tests.unit.adapters.local_bench import HANG, LEAVES_SOCKETS, Reply, bench

from inferagent.adapters.engine.stay import Stay, expiry, listed, spellings
from inferagent.adapters.local_http import LocalHttp
from inferagent.ports import PortError

pytestmark = LEAVES_SOCKETS

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
PS, TAGS, GENERATE = "GET /api/ps", "GET /api/tags", "POST /api/generate"


def loaded(expires, name="base:latest", digest="d1"):
    return Reply(200, {"models": [{"name": name, "digest": digest, "expires_at": expires}]})


async def stay_of(name, ps, tags=None):
    known = Reply(200, {"models": tags or []})
    async with bench(**{PS: ps, TAGS: known}) as server:
        http = LocalHttp(server.url)
        found = await Stay(http, lambda: NOW).read(name, 0.3)
        await http.aclose()
        return found


@pytest.mark.parametrize("name", ["base", "base:latest"])
async def test_a_loaded_model_has_an_end(name):
    assert await stay_of(name, loaded("2027-01-15T08:01:30.12345678Z")) == pytest.approx(
        NOW + 90.123, abs=0.01
    )


async def test_zones_are_minded():
    assert await stay_of("base", loaded("2027-01-15T09:00:30+01:00")) == NOW + 30


async def test_a_copy_under_another_name_is_the_same_load():
    tags = [{"name": "chat:latest", "digest": "d1"}, {"name": "base:latest", "digest": "d1"}]
    assert await stay_of("chat", loaded("2027-01-15T08:00:30Z"), tags) == NOW + 30


@pytest.mark.parametrize(
    "ps",
    [
        Reply(200, {"models": []}),
        Reply(200, {"models": None}),
        loaded("2027-01-15T08:00:30Z", name="other", digest="d2"),
        loaded("2027-01-15T07:59:59Z"),  # a request is running: its end is to come
        loaded("2318-01-01T00:00:00Z"),  # it stays for ever
        loaded("soon"),
        loaded(None),
        Reply(500, b"no"),
        Reply(200, {"models": 3}),
        HANG,
    ],
)
async def test_nothing_to_give_back(ps):
    assert await stay_of("base", ps) is None


async def test_the_rest_of_the_stay_is_set_again():
    async with bench(**{GENERATE: Reply(200, {"done": True})}) as server:
        http = LocalHttp(server.url)
        assert await Stay(http, lambda: NOW).restore("chat", NOW + 37, 2.0)
        assert await Stay(http, lambda: NOW).restore("chat", NOW - 5, 2.0)
        await http.aclose()
    assert [one.body["keep_alive"] for one in server.seen] == ["37000ms", "1000ms"]
    assert all("prompt" not in one.body for one in server.seen)


@pytest.mark.parametrize("reply", [HANG, Reply(500, b"")])
async def test_an_engine_that_does_not_take_it(reply):
    async with bench(**{GENERATE: reply}) as server:
        http = LocalHttp(server.url)
        assert not await Stay(http, lambda: NOW).restore("chat", NOW + 37, 0.2)
        await http.aclose()


@pytest.mark.parametrize(
    ("name", "all_of_them"),
    [
        ("chat", {"chat", "chat:latest"}),
        ("chat:latest", {"chat", "chat:latest"}),
        ("llama3:8b", {"llama3:8b"}),
        ("host:5000/me/chat", {"host:5000/me/chat", "host:5000/me/chat:latest"}),
    ],
)
def test_spellings(name, all_of_them):
    assert spellings(name) == all_of_them


def test_lists_that_are_none():
    assert listed({}) == []
    assert listed({"models": [{"name": "a"}, 3]}) == [{"name": "a"}]
    with pytest.raises(PortError, match="no list"):
        listed({"models": "all"})
    assert expiry([], [], "chat") is None


def test_a_digest_of_another_type_is_one_that_fits_nothing_else():
    entry = {"name": "chat", "digest": ["odd"]}
    assert (
        expiry([{"name": "copy", "digest": ["other"], "expires_at": "2026-01-01T00:00:00Z"}], [entry], "chat")
        is None
    )
