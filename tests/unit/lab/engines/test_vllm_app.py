"""The HTTP face of the vLLM stand-in."""

import json

import pytest

SHORT = {"model": "chat", "prompt": "hello world", "max_tokens": 5}


def events(raw):
    return [line.removeprefix(b"data: ") for line in raw.splitlines() if line]


async def test_static_pages(vllm):
    async with vllm() as (client, _):
        for path in ("/health", "/ping"):
            response = await client.get(path)
            assert (response.status, await response.read()) == (200, b"")
        response = await client.get("/load")
        assert await response.json() == {"server_load": 0}
        assert response.headers["Server"] == "uvicorn"
        assert "version" in await (await client.get("/version")).json()
        models = await (await client.get("/v1/models")).json()
        assert [model["id"] for model in models["data"]] == ["chat"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/completions", {"prompt": "hi"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
    ],
)
async def test_a_stream_has_a_chunk_for_each_token(vllm, path, said):
    async with vllm() as (client, _):
        body = {"model": "chat", **said, "max_tokens": 7, "stream": True}
        response = await client.post(path, json=body)
        *chunks, done = events(await response.read())
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert done == b"[DONE]"
        choices = [json.loads(chunk)["choices"][0] for chunk in chunks]
        spoken = [c for c in choices if c.get("text") or c.get("delta", {}).get("content")]
        assert len(spoken) == 7
        assert choices[-1]["finish_reason"] == "length"
        response = await client.post(path, json={**body, "stream_options": {"include_usage": True}})
        usage = json.loads(events(await response.read())[-2])
        assert usage["usage"]["completion_tokens"] == 7


async def test_a_plain_answer_carries_its_usage(vllm):
    async with vllm() as (client, _):
        body = await (await client.post("/v1/completions", json=SHORT)).json()
        counted = {name: count for name, count in body["usage"].items() if count is not None}
        assert counted == {"prompt_tokens": 2, "total_tokens": 7, "completion_tokens": 5}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**SHORT, "model": "nope"}, 404),
        ({**SHORT, "max_tokens": 0}, 400),
        ({**SHORT, "max_tokens": 5000}, 400),
        ([], 400),
    ],
)
async def test_what_it_cannot_serve_it_refuses(vllm, body, status):
    async with vllm() as (client, _):
        response = await client.post("/v1/completions", json=body)
        assert response.status == status
        assert (await response.json())["error"]["code"] == status


async def test_the_unknown_model_answer_is_the_recorded_one(vllm):
    async with vllm() as (client, _):
        response = await client.post("/v1/completions", json={**SHORT, "model": "nope"})
        assert await response.read() == (
            b'{"error":{"message":"The model `nope` does not exist. Valid aliases: chat.",'
            b'"type":"NotFoundError","param":"model","code":404}}'
        )


async def test_a_leaving_server_refuses_generations_only(vllm):
    async with vllm() as (client, server):
        server.leaving = True
        assert (await client.post("/v1/completions", json=SHORT)).status == 500
        assert (await client.get("/health")).status == 200


async def test_a_dead_engine_is_said(vllm, until):
    async with vllm() as (client, server):
        server.engine.kill()
        await until(lambda: server.engine.dead)
        assert (await client.get("/health")).status == 503
        response = await client.post("/v1/completions", json=SHORT)
        assert (response.status, (await response.json())["error"]["type"]) == (500, "InternalServerError")


async def test_a_stream_whose_engine_dies_ends_with_an_error_and_a_terminator(vllm):
    async with vllm() as (client, server):
        response = await client.post("/v1/completions", json={**SHORT, "max_tokens": 1000, "stream": True})
        await response.content.readline()
        server.engine.kill()
        *_, error, done = events(await response.read())
        assert (b'"error"' in error, done) == (True, b"[DONE]")


async def test_a_client_that_goes_away_frees_its_place(vllm, until):
    async with vllm() as (client, server):
        response = await client.post("/v1/completions", json={**SHORT, "max_tokens": 1000, "stream": True})
        await response.content.readline()
        assert server.engine.counters.running == 1
        response.close()
        await until(lambda: not server.engine.requests and server.engine.counters.running == 0)
        assert server.engine.counters.success["abort"] == 1


async def test_metrics_can_be_turned_off(vllm):
    async with vllm("--disable-log-stats") as (client, _):
        response = await client.get("/metrics")
        assert (response.status, b"vllm:" in await response.read()) == (200, False)
    async with vllm() as (client, _):
        assert b"vllm:num_requests_running{" in await (await client.get("/metrics")).read()


async def test_a_key_guards_v1_only(vllm):
    async with vllm("--api-key", "k") as (client, _):
        assert (await client.get("/v1/models")).status == 401
        assert (await client.get("/health")).status == 200
        response = await client.get("/v1/models", headers={"Authorization": "Bearer k"})
        assert response.status == 200
