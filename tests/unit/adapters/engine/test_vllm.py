"""The vLLM adapter against a server that answers, refuses, hangs and babbles."""

import asyncio
import os
from contextlib import asynccontextmanager

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

from inferagent.adapters.engine.vllm import MOVING, VllmEngine, model_ids, read_metrics
from inferagent.adapters.local_http import Answer
from inferagent.model.engine import Load, Outcome
from inferagent.model.reading import Failed, NotAvailable, Value, known
from inferagent.ports import PortError

pytestmark = LEAVES_SOCKETS

METRICS = """# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0"} 2.0
vllm:num_requests_running{engine="1"} 1.0
vllm:num_requests_waiting{engine="0"} 4.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:generation_tokens_total{engine="0"} %d
vllm:request_success_total{engine="0",finished_reason="stop"} 3.0
vllm:request_success_total{engine="0",finished_reason="abort"} %d
http_requests_total{handler="/metrics"} %d
"""
OLD = """vllm:num_requests_running 0.0
vllm:num_requests_waiting 0.0
vllm:gpu_cache_usage_perc 0.5
vllm:generation_tokens 12
"""
MODELS = Reply(200, {"object": "list", "data": [{"id": "chat"}, {"id": "other"}]})


def metrics(tokens=100, aborts=0, http=1):
    return Reply(200, (METRICS % (tokens, aborts, http)).encode())


@asynccontextmanager
async def engine(url=None, pid=os.getpid, deadline=0.8, **routes):
    async with bench(**({"GET /metrics": metrics(), "GET /v1/models": MODELS} | routes)) as server:
        one = VllmEngine(
            url or server.url,
            ("chat",),
            clock=HandClock(),
            pid=pid,
            incarnation=lambda: "9:1",
            deadline=deadline,
        )
        yield one, server
        await one.aclose()


async def test_a_healthy_look():
    async with engine() as (one, _):
        look = await one.look()
    assert known(look.accepts) is True
    assert known(look.models) == {"chat", "other"}
    assert known(look.load) == Load(3, 4)
    assert isinstance(look.lan, NotAvailable)
    assert isinstance(look.warmup, NotAvailable)
    assert look.degraded == ""


async def test_a_look_costs_one_request():
    async with engine() as (one, server):
        for _ in range(3):
            await one.look()
        assert len(server.asked("/metrics")) == 3
        assert len(server.asked("/v1/models")) == 1
        assert server.connections == 1


def signature(reply):
    _, progress = read_metrics(Answer(200, reply.body), 1.0)
    assert isinstance(progress, Value)
    return progress.value.signature


def test_tokens_move_the_signature():
    assert signature(metrics(100)) != signature(metrics(101))


def test_what_moves_while_the_core_hangs_is_no_progress():
    assert signature(metrics(aborts=0, http=1)) == signature(metrics(aborts=5, http=9))


def test_older_names_are_known():
    load, progress = read_metrics(Answer(200, OLD.encode()), 1.0)
    assert known(load) == Load(0, 0)
    assert known(progress).signature == (("running", 0), ("waiting", 0), ("generated", 12), ("kv", 0.5))


@pytest.mark.parametrize("gone", [names[0] for names in MOVING.values()])
def test_a_counter_that_is_gone_is_left_out(gone):
    left = "\n".join(line for line in OLD.split("\n") if gone not in line)
    _, progress = read_metrics(Answer(200, left.encode()), 1.0)
    parts = dict(known(progress).signature)
    assert all(names[0] != gone for part, names in MOVING.items() if part in parts and part != "kv")


# An engine of another make, as kind vllm: of the names that the agent knows it has one, which stands still
# through a long generation and so is no witness of a hang.
FOREIGN = b"""# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 26
llamacpp:tokens_predicted_total 4070
llamacpp:requests_processing 2
"""


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(200, b""), NotAvailable),  # --disable-log-stats
        (Answer(200, b"python_info 1\n"), NotAvailable),
        (Answer(200, FOREIGN), NotAvailable),
        (Answer(404, b""), NotAvailable),
        (Answer(500, b"no"), Failed),
        (Answer(200, b"vllm:num_req"), Failed),
    ],
)
def test_without_counters(answer, kind):
    load, progress = read_metrics(answer, 1.0)
    assert isinstance(load, kind)
    assert isinstance(progress, kind)


async def test_a_refused_port_is_evidence_and_the_start_is_watched():
    async with engine(url=f"http://127.0.0.1:{closed_port()}") as (one, _):
        look = await one.look()
    assert known(look.accepts) is False
    warmup = known(look.warmup)
    assert warmup is not None
    assert warmup.memory_bytes > 0
    assert isinstance(look.load, Failed)
    assert isinstance(look.models, Failed)


async def test_a_refused_port_without_a_process():
    async with engine(url=f"http://127.0.0.1:{closed_port()}", pid=lambda: 0) as (one, _):
        assert isinstance((await one.look()).warmup, Failed)


async def test_a_silent_server_still_accepts_and_its_cpu_time_tells_whether_it_moves():
    async with engine(deadline=0.5, **{"GET /metrics": HANG}) as (one, _):
        look = await one.look()
    assert known(look.accepts) is True
    assert isinstance(look.load, Failed)
    assert [part for part, _ in known(look.progress).signature] == ["main_cpu"]


async def test_a_full_queue_is_unknown():
    with full_queue() as port:
        async with engine(url=f"http://127.0.0.1:{port}", deadline=0.5) as (one, _):
            look = await one.look()
    assert isinstance(look.accepts, Failed)
    assert isinstance(look.progress, Failed)


async def test_a_broken_answer_is_an_accepting_port():
    async with engine(**{"GET /metrics": BREAK}) as (one, _):
        look = await one.look()
    assert known(look.accepts) is True
    assert isinstance(look.load, Failed)


async def test_a_hanging_list_of_models_fails_alone_and_in_time():
    async with engine(deadline=0.6, **{"GET /v1/models": HANG}) as (one, _):
        async with asyncio.timeout(1.5):
            look = await one.look()
    assert isinstance(look.models, Failed)
    assert known(look.load) == Load(3, 4)


async def test_a_generation_carries_the_life_that_was_asked():
    good = Reply(200, {"choices": [{}], "usage": {"completion_tokens": 1}})
    async with engine(**{"POST /v1/chat/completions": good}) as (one, server):
        generation = await one.generate(2.0)
    assert (generation.outcome, generation.incarnation) == (Outcome.OK, "9:1")
    assert server.asked("/v1/chat/completions")[0].body["model"] == "chat"


async def test_a_hanging_generation_ends_at_its_deadline():
    async with engine(**{"POST /v1/chat/completions": HANG}) as (one, _):
        async with asyncio.timeout(1.5):
            assert (await one.generate(0.3)).outcome is Outcome.UNANSWERED


async def test_a_look_goes_on_beside_a_hanging_generation():
    async with engine(**{"POST /v1/chat/completions": HANG}) as (one, _), asyncio.TaskGroup() as group:
        asked = group.create_task(one.generate(0.5))
        look = await one.look()
        assert known(look.accepts) is True
        assert not asked.done()
    assert asked.result().outcome is Outcome.UNANSWERED


def test_lists_of_models():
    assert model_ids({"data": None}) == frozenset()
    assert model_ids({"data": [{"id": "a"}, {"id": "b"}]}) == {"a", "b"}
    with pytest.raises(PortError, match="no list"):
        model_ids({"data": {"id": "a"}})


@pytest.mark.parametrize(
    "text",
    [
        'vllm:num_requests_running 0\nvllm:num_requests_waiting{e="0"} 0\nvllm:num_requests_waiting{e="1',
        "vllm:num_requests_running NaN\nvllm:num_requests_waiting 0\n",
        "vllm:num_requests_running -1\nvllm:num_requests_waiting 1\n",
        "vllm:num_requests_running 0\n",
        "<html>\n<body>502</body>\n</html>\n",
    ],
)
def test_a_load_in_doubt_is_unknown_and_neither_quiet_nor_na(text):
    load, _ = read_metrics(Answer(200, text.encode()), 1.0)
    assert isinstance(load, Failed)
    assert "cannot" in load.reason
