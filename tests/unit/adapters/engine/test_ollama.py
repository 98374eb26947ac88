"""The Ollama adapter against a server that answers, refuses, hangs and babbles."""

import asyncio
import os
import socket
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from tests.unit.adapters.local_bench import (
    BREAK,
    HANG,
    LEAVES_SOCKETS,
    HandClock,
    Reply,
    bench,
    closed_port,
    full_queue,
)

from inferagent.adapters.engine.ollama import OllamaEngine, Placed, degraded, model_names, sizes
from inferagent.adapters.engine.sock_diag import TcpSocket, connections
from inferagent.adapters.engine.sockets import EngineSockets
from inferagent.model.engine import Outcome
from inferagent.model.reading import Failed, NotAvailable, Value, known

pytestmark = LEAVES_SOCKETS

PS, TAGS = "GET /api/ps", "GET /api/tags"
LOAD, CHAT = "POST /api/generate", "POST /v1/chat/completions"
NONE = Reply(200, {"models": []})
KNOWN = Reply(200, {"models": [{"name": "chat:latest"}, {"name": "llama3:8b"}]})
GOOD = Reply(200, {"choices": [{}], "usage": {"completion_tokens": 1}})
LOADED = Reply(200, {"done": True})


def unreadable(*_):
    raise PermissionError(1, "not allowed")


def staying(seconds):
    end = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
    return Reply(200, {"models": [{"name": "chat:latest", "expires_at": end, "size": 9, "size_vram": 9}]})


@asynccontextmanager
async def engine(url=None, pid=os.getpid, deadline=1.0, lister=None, **settings):
    routes = {key: settings.pop(key) for key in list(settings) if " " in key}
    async with bench(**({PS: NONE, TAGS: KNOWN, LOAD: LOADED, CHAT: GOOD} | routes)) as server:
        sockets = EngineSockets(server.port, lambda: 0, lister or connections)
        one = OllamaEngine(
            url or server.url,
            ("chat",),
            clock=HandClock(),
            pid=pid,
            incarnation=lambda: "9:1",
            connector=lambda: 0,
            deadline=deadline,
            sockets=sockets,
            **settings,
        )
        yield one, server
        await one.aclose()


def test_the_size_of_a_model_has_every_spelling_of_its_name():
    listed = {"models": [{"name": "tiny:latest", "size": 473353}, {"name": "big", "size": None}, 3]}
    assert sizes(listed) == {"tiny": 473353, "tiny:latest": 473353}
    assert sizes({"models": None}) == {}


async def test_a_load_is_measured_against_the_size_of_the_list():
    tags = Reply(200, {"models": [{"name": "chat:latest", "size": 1000}]})
    async with engine(**{TAGS: tags}) as (one, _):
        assert known((await one.look()).warmup).total == 1000


async def test_a_healthy_look():
    async with engine() as (one, server):
        look = await one.look()
        assert known(look.accepts) is True
        assert known(look.models) == {"chat", "chat:latest", "llama3:8b"}
        assert isinstance(look.load, NotAvailable)
        assert known(look.lan) == 0
        assert known(look.warmup).memory_bytes > 0
        parts = dict(known(look.progress).signature)
        assert set(parts) == {"answered", "runner_cpu", "runner_memory"}
        await one.look()
        assert [one.path for one in server.seen] == ["/api/ps", "/api/tags", "/api/ps"]


async def test_the_gpu_counts_where_it_can_be_read():
    async with engine(gpu=lambda: 41.5) as (one, _):
        assert ("gpu", 41.5) in known((await one.look()).progress).signature
    async with engine(gpu=lambda: None) as (one, _):
        assert "gpu" not in dict(known((await one.look()).progress).signature)


async def test_unreadable_sockets_fail_alone():
    async with engine(lister=unreadable) as (one, _):
        look = await one.look()
    assert isinstance(look.lan, Failed)
    assert "not allowed" in look.lan.reason
    assert set(dict(known(look.progress).signature)) == {"runner_cpu", "runner_memory"}


async def test_nothing_to_be_read_is_unknown():
    async with engine(lister=unreadable, pid=lambda: 0) as (one, _):
        look = await one.look()
    assert isinstance(look.progress, Failed)
    assert isinstance(look.warmup, Failed)


async def test_hanging_sockets_are_given_up_in_time():
    async with engine(lister=lambda *_: time.sleep(1.0) or []) as (one, _):  # hangs for a while
        async with asyncio.timeout(2.0):
            look = await one.look()
    assert isinstance(look.lan, Failed)
    assert known(look.accepts) is True


async def test_the_agents_own_questions_are_nobodys():
    async with engine(**{CHAT: HANG}) as (one, _), asyncio.TaskGroup() as group:
        group.create_task(one.generate(0.8))
        await asyncio.sleep(0)
        look = await one.look()
    assert known(look.lan) == 0


async def test_a_refused_port_is_evidence():
    async with engine(url=f"http://127.0.0.1:{closed_port()}") as (one, _):
        look = await one.look()
    assert known(look.accepts) is False
    assert isinstance(look.models, Failed)


async def test_a_silent_list_is_an_accepting_port():
    async with engine(**{PS: HANG, TAGS: HANG}) as (one, _):
        async with asyncio.timeout(2.0):
            look = await one.look()
    assert known(look.accepts) is True
    assert isinstance(look.models, Failed)
    assert isinstance(look.progress, Value)


async def test_a_full_queue_is_unknown():
    with full_queue() as port:
        async with engine(url=f"http://127.0.0.1:{port}") as (one, _):
            assert isinstance((await one.look()).accepts, Failed)


@pytest.mark.parametrize("reply", [Reply(200, b"garbage"), Reply(200, {"models": 7}), BREAK])
async def test_garbage_is_an_accepting_port(reply):
    async with engine(wants_gpu=lambda: True, **{PS: reply}) as (one, _):
        look = await one.look()
    assert (known(look.accepts), look.degraded) == (True, "")


@pytest.mark.parametrize(
    ("size", "held", "words"),
    [(10, 10, ""), (10, 0, "runs on the CPU"), (10, 6, "60 % on the GPU"), (0, 0, ""), ("x", None, "")],
)
def test_what_runs_on_the_cpu(size, held, words):
    found = degraded([{"name": "chat", "size": size, "size_vram": held}])
    assert (words in found) if words else found == ""


async def test_the_cpu_is_no_fault_where_no_gpu_is_expected():
    on_cpu = Reply(200, {"models": [{"name": "chat", "size": 9, "size_vram": 0}]})
    async with engine(**{PS: on_cpu}) as (one, _):
        assert (await one.look()).degraded == ""
    async with engine(wants_gpu=lambda: True, **{PS: on_cpu}) as (one, _):
        assert (await one.look()).degraded == "model chat runs on the CPU"


def test_where_the_models_of_one_life_lie_stands_while_none_is_loaded():
    on_cpu, on_gpu = ([{"name": "chat", "size": 9, "size_vram": held}] for held in (0, 9))
    wants, life = [True], ["1"]
    placed = Placed(lambda: wants[0], lambda: life[0])
    assert placed.look([]) == ""
    assert placed.look(on_cpu) == placed.look([]) == "model chat runs on the CPU"
    wants[0] = False
    assert placed.look([]) == ""
    wants[0] = True
    assert placed.look(on_gpu) == placed.look([]) == ""
    assert placed.look(on_cpu)
    life[0] = "2"
    assert placed.look([]) == ""


async def test_the_name_of_the_users_is_tried():
    async with engine(host=lambda: "a.example.com", **{"GET /api/version": Reply(403)}) as (one, server):
        assert (await one.look()).refuses == "a.example.com"
        assert server.asked("/api/version")[0].headers["host"] == "a.example.com"
    async with engine(**{"GET /api/version": Reply(403)}) as (one, _):
        assert (await one.look()).refuses == ""


async def test_a_wrong_answer_puts_the_list_in_doubt():
    async with engine(**{LOAD: Reply(404, {"error": "model 'chat' not found"})}) as (one, server):
        await one.look()
        assert (await one.generate(1.0)).outcome is Outcome.WRONG
        await one.look()
        await one.look()
        assert len(server.asked("/api/tags")) == 2


def test_names_with_and_without_latest():
    assert model_names({"models": [{"name": "a:latest"}, {"name": "b:8b"}]}) == {"a", "a:latest", "b:8b"}
    assert model_names({"models": None}) == frozenset()


async def test_a_model_is_loaded_before_it_is_asked_as_users_ask():
    async with engine() as (one, server):
        generation = await one.generate(2.0)
    assert (generation.outcome, generation.incarnation) == (Outcome.OK, "9:1")
    asked = [one.path for one in server.seen if one.method == "POST"]
    assert asked == ["/api/generate", "/v1/chat/completions"]


async def test_a_load_that_takes_longer_than_the_deadline_is_not_broken_off():
    loaded = asyncio.Event()
    async with engine(**{LOAD: Reply(200, {}, after=loaded)}) as (one, server):
        assert (await one.generate(0.3)).outcome is Outcome.UNANSWERED
        assert server.gone == []
        loaded.set()
        assert (await one.generate(2.0)).outcome is Outcome.OK


async def test_an_idle_models_stay_is_as_long_as_before():
    async with engine(**{PS: staying(40)}) as (one, server):
        assert (await one.generate(2.0)).outcome is Outcome.OK
    _, restored = server.asked("/api/generate")
    assert 38_000 < int(restored.body["keep_alive"].removesuffix("ms")) <= 40_000


async def test_an_unloaded_model_gets_the_stay_of_its_engine():
    async with engine() as (one, server):
        await one.generate(2.0)
    assert [one.body.get("keep_alive") for one in server.asked("/api/generate")] == [None]


@asynccontextmanager
async def stranger(**routes):
    """An engine, and a client of this process that looks like one of another host."""
    ports: set[int] = set()

    def lister(local_port, peer_port):
        return [end for end in connections(local_port, peer_port) if end.local[1] not in ports]

    async with engine(lister=lister, **routes) as (one, server):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            ports.add(client.getsockname()[1])
            yield one, server, client


async def test_a_stay_that_somebody_else_renewed_is_theirs():
    async with stranger(**{PS: staying(40)}) as (one, server, client):

        def ask_meanwhile(_):
            client.sendall(b"GET /api/tags HTTP/1.1\r\n\r\n")
            return GOOD

        server.routes[CHAT] = ask_meanwhile
        assert (await one.generate(2.0)).outcome is Outcome.OK
    assert len(server.asked("/api/generate")) == 1


async def test_a_foreign_client_that_is_idle_changes_nothing():
    async with stranger(**{PS: staying(40)}) as (one, server, _):
        assert (await one.generate(2.0)).outcome is Outcome.OK
        assert known((await one.look()).lan) == 0
    assert len(server.asked("/api/generate")) == 2


async def test_a_stay_is_left_alone_where_others_cannot_be_seen():
    async with engine(lister=unreadable, **{PS: staying(40)}) as (one, server):
        await one.generate(2.0)
    assert len(server.asked("/api/generate")) == 1


async def test_a_doubtful_client_counts_while_the_engine_works():
    ages = iter((20.0, 22.0, 24.0))
    worked = iter((1.0, 2.0, 2.0))

    def lister(local_port, peer_port):
        if not local_port:
            return []
        age = next(ages)
        return [TcpSocket(("127.0.0.1", 1), ("10.0.0.9", 2), 0, 0, 5, 5, age, age)]

    async with engine(lister=lister, gpu=lambda: next(worked), pid=lambda: 0) as (one, _):
        assert [known((await one.look()).lan) for _ in range(3)] == [1, 1, 0]


async def test_a_foreign_client_that_waits_is_counted():
    async with stranger(**{CHAT: HANG}) as (one, _, client):
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        assert known((await one.look()).lan) == 1


async def test_a_hanging_generation_ends_at_its_deadline():
    async with engine(**{CHAT: HANG}) as (one, _):
        async with asyncio.timeout(2.0):
            assert (await one.generate(0.3)).outcome is Outcome.UNANSWERED


async def test_a_saturated_engine_is_busy():
    async with engine(**{LOAD: Reply(503, {"error": "server busy"})}) as (one, _):
        assert (await one.generate(2.0)).outcome is Outcome.BUSY
