"""The HTTP face of the Ollama stand-in."""

import asyncio
import json

import pytest

from inferagent.lab.processes import kill

ASK = {"model": "chat", "prompt": "hello world", "options": {"num_predict": 5}}
SHORT = {"model": "chat", "prompt": "hello world", "max_tokens": 5}


async def test_static_pages(ollama):
    async with ollama() as (client, _):
        assert await (await client.get("/")).text() == "Ollama is running"
        assert "version" in await (await client.get("/api/version")).json()
        assert await (await client.get("/api/ps")).json() == {"models": []}
        for path in ("/health", "/metrics", "/.inferagent/ready"):
            response = await client.get(path)
            assert (response.status, await response.read()) == (404, b"404 page not found")


async def test_a_foreign_host_is_refused_with_nothing(ollama):
    async with ollama() as (client, server):
        response = await client.get("/api/tags", headers={"Host": "gpu-home.example.com"})
        assert (response.status, await response.read()) == (403, b"")
        server.guarded = False
        assert (await client.get("/api/tags", headers={"Host": "gpu-home.example.com"})).status == 200


async def test_a_model_whose_file_is_spoilt_is_listed_and_refused(ollama):
    async with ollama() as (client, server):
        blob = server.models.get("chat").blob
        blob.write_bytes(blob.read_bytes()[:-1])
        assert (await client.post("/v1/completions", json=SHORT)).status == 500
        blob.unlink()
        assert (await client.post("/v1/completions", json=SHORT)).status == 400
        assert (await (await client.get("/api/tags")).json())["models"][0]["size"] == 1 << 20


@pytest.mark.parametrize("path", ["/api/generate", "/api/chat"])
async def test_native_streams_by_default(ollama, path):
    async with ollama() as (client, _):
        said = {"messages": [{"role": "user", "content": "hi"}]} if path == "/api/chat" else {"prompt": "hi"}
        body = {"model": "chat", **said, "options": {"num_predict": 5}}
        response = await client.post(path, json=body)
        lines = [json.loads(line) for line in (await response.read()).splitlines()]
        assert response.headers["Content-Type"] == "application/x-ndjson"
        assert [line["done"] for line in lines] == [False] * 5 + [True]
        whole = await (await client.post(path, json={**body, "stream": False})).json()
        assert (whole["done"], whole["eval_count"], whole["done_reason"]) == (True, 5, "length")


async def test_the_shared_api(ollama):
    async with ollama() as (client, _):
        whole = await (await client.post("/v1/completions", json=SHORT)).json()
        assert (whole["usage"]["completion_tokens"], whole["choices"][0]["finish_reason"]) == (5, "length")
        talk = {
            "model": "chat",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": True,
            "max_tokens": 5,
        }
        raw = await (await client.post("/v1/chat/completions", json=talk)).read()
        *chunks, done = [line.removeprefix(b"data: ") for line in raw.splitlines() if line]
        assert (len(chunks), done) == (6, b"[DONE]")


async def test_an_answer_without_a_bound_stops_by_itself(ollama):
    async with ollama(LAB_DEFAULT_TOKENS="4") as (client, _):
        whole = await (await client.post("/v1/completions", json={"model": "chat", "prompt": "hi"})).json()
        assert (whole["usage"]["completion_tokens"], whole["choices"][0]["finish_reason"]) == (4, "stop")


async def test_refusals(ollama):
    async with ollama() as (client, _):
        for path in ("/api/generate", "/api/chat", "/v1/completions", "/v1/chat/completions"):
            assert (await client.post(path, json={"model": "nope"})).status == 404
            assert (await client.post(path, data=b"{")).status == 400
        assert (await client.post("/api/generate", json={**ASK, "keep_alive": "soon"})).status == 400


async def test_no_prompt_loads_and_keep_alive_zero_unloads(ollama):
    async with ollama(LAB_VRAM_SHARE="0.5") as (client, _):
        body = await (await client.post("/api/generate", json={"model": "chat"})).json()
        assert (body["done_reason"], body["response"]) == ("load", "")
        (loaded,) = (await (await client.get("/api/ps")).json())["models"]
        assert (loaded["name"], loaded["size_vram"]) == ("chat:latest", loaded["size"] // 2)
        body = await (await client.post("/api/generate", json={"model": "chat", "keep_alive": 0})).json()
        assert body["done_reason"] == "unload"
        assert await (await client.get("/api/ps")).json() == {"models": []}


async def test_past_the_queue_it_says_busy(ollama, until):
    async with ollama(OLLAMA_MAX_QUEUE="0", LAB_TOKENS_PER_SECOND="20") as (client, server):
        first = await client.post("/v1/completions", json={**SHORT, "max_tokens": 1000, "stream": True})
        async with asyncio.TaskGroup() as group:
            second = group.create_task(client.post("/v1/completions", json=SHORT))
            await until(lambda: server.loader.waiting == 1)
            third = await client.post("/v1/completions", json=SHORT)
            assert (third.status, "server busy" in (await third.json())["error"]["message"]) == (503, True)
            first.close()
            assert (await second).status == 200


async def test_a_killed_runner_breaks_the_stream_and_stays_listed(ollama, until):
    async with ollama() as (client, server):
        response = await client.post("/v1/completions", json={**SHORT, "max_tokens": 1000, "stream": True})
        await response.content.readline()
        (loaded,) = server.loader.loaded.values()
        kill(loaded.child.pid)
        assert b"[DONE]" not in await response.read()
        await until(lambda: loaded.gone)
        assert (await (await client.get("/api/ps")).json())["models"]
        assert (await client.post("/v1/completions", json=SHORT)).status == 200


async def test_a_runner_that_cannot_load_is_an_error(ollama):
    async with ollama(LAB_LOAD_SECONDS="60", OLLAMA_LOAD_TIMEOUT="100ms") as (client, _):
        response = await client.post("/api/generate", json=ASK)
        assert (response.status, "cannot load" in (await response.json())["error"]) == (500, True)


async def test_a_client_that_goes_away_frees_its_slot(ollama, until):
    async with ollama() as (client, server):
        response = await client.post("/v1/completions", json={**SHORT, "max_tokens": 1000, "stream": True})
        await response.content.readline()
        (loaded,) = server.loader.loaded.values()
        response.close()
        await until(lambda: not loaded.works and loaded.users == 0)
        assert (await client.post("/v1/completions", json=SHORT)).status == 200
