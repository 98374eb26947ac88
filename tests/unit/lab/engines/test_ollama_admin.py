"""Models come and go over HTTP."""

import hashlib
import json


async def names(client):
    return [model["name"] for model in (await (await client.get("/api/tags")).json())["models"]]


async def statuses(response):
    return [json.loads(line) for line in (await response.read()).splitlines()]


async def test_a_pull_tells_its_progress(ollama):
    async with ollama() as (client, _):
        said = await statuses(await client.post("/api/pull", json={"model": "llama3:8b"}))
        assert said[-1] == {"status": "success"}
        downloads = [line["completed"] for line in said if "completed" in line]
        assert downloads == sorted(downloads)
        assert "llama3:8b" in await names(client)


async def test_what_cannot_be_pulled(ollama, monkeypatch):
    monkeypatch.setenv("LAB_PULLABLE", "llama3:8b")
    async with ollama() as (client, _):
        said = await statuses(await client.post("/api/pull", json={"model": "nope"}))
        assert "error" in said[-1]
        assert await names(client) == ["chat:latest"]


async def test_a_public_name_is_a_copy(ollama):
    async with ollama() as (client, _):
        copy = {"source": "chat", "destination": "public"}
        assert (await client.post("/api/copy", json=copy)).status == 200
        assert await names(client) == ["chat:latest", "public:latest"]
        assert (await client.post("/api/copy", json={**copy, "source": "nope"})).status == 404
        assert (await client.post("/api/copy", json={**copy, "destination": "../x"})).status == 400


async def test_create_from_a_blob_or_a_model(ollama):
    async with ollama() as (client, _):
        digest = f"sha256:{hashlib.sha256(b'weights').hexdigest()}"
        assert (await client.post(f"/api/blobs/{digest}", data=b"other")).status == 400
        assert (
            await client.post("/api/create", json={"model": "mine", "files": {"w": digest}})
        ).status == 400
        assert (await client.post(f"/api/blobs/{digest}", data=b"weights")).status == 201
        said = await statuses(
            await client.post("/api/create", json={"model": "mine", "files": {"w": digest}})
        )
        assert said[-1] == {"status": "success"}
        assert (await client.post("/api/create", json={"model": "also", "from": "mine"})).status == 200
        assert (await client.post("/api/create", json={"model": "also", "from": "nope"})).status == 404
        assert await names(client) == ["also:latest", "chat:latest", "mine:latest"]


async def test_delete(ollama):
    async with ollama() as (client, _):
        assert (await client.delete("/api/delete", json={"model": "chat"})).status == 200
        assert (await client.delete("/api/delete", json={"model": "chat"})).status == 404
        assert (await client.delete("/api/delete", data=b"")).status == 400
        assert await names(client) == []
