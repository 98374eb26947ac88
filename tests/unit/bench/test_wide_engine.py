from aiohttp.test_utils import TestClient, TestServer
from tests.bench.wide_engine import CPU, app, body_of, conditions, wide

from inferagent.adapters.engine.vllm import model_ids, read_metrics
from inferagent.adapters.local_http import Answer
from inferagent.model.engine import Load
from inferagent.model.reading import Value


def test_it_shows_as_much_as_recorded_from_the_real_program():
    text = wide()
    assert 550 <= text.count("\n") <= 650
    assert 40_000 <= len(text) <= 55_000
    assert 250 <= text.count("_bucket{") <= 300
    assert conditions()["metrics_lines"] == text.count("\n")


def test_the_agent_reads_it():
    load, progress = read_metrics(Answer(200, wide().encode()), 1.0)
    assert load == Value(Load(0, 0), 1.0)
    assert isinstance(progress, Value)


def test_a_recorded_answer_is_served_without_its_head():
    assert body_of("HTTP/1.1 200 OK\r\nserver: x\r\n\r\na 1\nb 2\n") == "a 1\nb 2\n"
    assert body_of("a 1\n\nb 2\n") == "a 1\n\nb 2\n"


async def test_it_answers_all_that_an_agent_asks():
    async with TestClient(TestServer(app())) as client:
        models = await (await client.get("/v1/models")).json()
        assert model_ids(models) == {"chat"}
        answer = await (await client.post("/v1/chat/completions", json={})).json()
        assert answer["usage"]["completion_tokens"] == 1
        text = await (await client.get("/metrics")).text()
        assert f"\n{CPU} 15.4\n" not in text
        assert text.count(f"\n{CPU} ") == 1
