"""What the faults of Ollama share: its environment, a store of its own, its native API, the ways to it."""

import json
import shutil
from pathlib import Path
from typing import Any

import aiohttp
from tests.matrix.faults.common import given
from tests.matrix.neighbour import User
from tests.matrix.runners import Slow, cpu_seconds
from tests.matrix.stage import Stage

from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.traffic_judge import Kind

LEAST = 64 << 10  # bytes: a blob that is larger holds weights
CONTEXT = 512  # tokens: small, for then the last token of a long answer takes no longer than the first
SAMPLE = {"stand-in": 40, "real": 1000}  # tokens that tell how fast it is
LONGEST = 5000  # tokens: the real one makes ten times its context for one request, no more


def own_store(stage: Stage) -> None:
    """Before setup: the models that this host alone has, so that the row may spoil them."""
    store = stage.host.folder / "models"
    if stage.host.engine.real:
        shutil.copytree(Path(stage.host.engine.environment["OLLAMA_MODELS"]), store)
    given(stage.host, OLLAMA_MODELS=str(store))


def weights(stage: Stage) -> list[Path]:
    """The blobs of the own store that are no manifest, template or licence."""
    blobs = (stage.host.folder / "models" / "blobs").iterdir()
    return [blob for blob in blobs if blob.stat().st_size >= LEAST]


async def api(stage: Stage, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON (None without) of one question at the engine's own port."""
    url, limit = f"http://127.0.0.1:{stage.host.engine_port}{path}", aiohttp.ClientTimeout(total=30)
    async with (
        aiohttp.ClientSession(timeout=limit) as session,
        session.request(method, url, json=body) as answer,
    ):
        text = await answer.read()
        told = "json" in answer.headers.get("Content-Type", "")
        return answer.status, json.loads(text) if text and told else None


async def loaded(stage: Stage) -> list[str]:
    """Names of the models that /api/ps lists."""
    _, body = await api(stage, "GET", "/api/ps")
    return [entry["name"] for entry in body["models"] or []]


async def unload(stage: Stage) -> None:
    """As `ollama stop` does; returns when nothing is loaded."""
    await api(stage, "POST", "/api/generate", {"model": PUBLIC_NAME, "keep_alive": 0, "stream": False})

    async def gone() -> bool:
        return not await loaded(stage)

    await stage.until(gone, "the model is unloaded")


async def lasting(stage: Stage, seconds: float) -> tuple[int, Slow]:
    """How many tokens take about so long, with the model loaded, and who holds the runner back for that, from
    now on until `end`: the real one makes even the most of them in a second. The engine was given CONTEXT."""
    first = stage.host.worker()
    before = cpu_seconds(first.pid if first else 0)
    sample = SAMPLE["real" if stage.host.engine.real else "stand-in"]
    said = await answered(stage, sample)
    runner = stage.host.worker()
    if not stage.host.engine.real or runner is None:
        return int(said["eval_count"] / (said["eval_duration"] * 1e-9) * seconds), Slow(1.0)
    spent = cpu_seconds(runner.pid) - (before if first and first.pid == runner.pid else 0.0)
    slow = Slow(min(1.0, spent / sample * LONGEST / seconds))
    stage.endings.callback(slow.end)
    slow.hold(runner.pid)
    return LONGEST, slow


async def answered(stage: Stage, tokens: int) -> dict[str, Any]:
    """What the engine says of an answer of so many tokens."""
    body = {"model": PUBLIC_NAME, "prompt": "a lamp", "stream": False, "options": {"num_predict": tokens}}
    status, said = await api(stage, "POST", "/api/generate", body)
    assert status == 200, f"the engine does not answer: {status} {said}"
    found: dict[str, Any] = said
    return found


async def ended(stage: Stage, users: list[User], seconds: float) -> None:
    """Until each of these requests has ended, well or not."""

    async def over() -> bool:
        return all(user.ended is not None for user in users)

    await stage.until(over, "every request has ended", seconds)


def neighbour(stage: Stage, kind: Kind) -> User:
    """Somebody on the LAN asks at the engine's own port."""
    return User(kind, stage.host.engine_port, exact=not stage.host.engine.real).ask()


def through_tunnel(stage: Stage, kind: Kind) -> User:
    """Somebody asks by the struck host's own hostname, which leads to no other."""
    port, host = tunnel(stage)
    return User(kind, port, host, exact=not stage.host.engine.real).ask()


def tunnel(stage: Stage) -> tuple[int, str]:
    """Port of the edge and the hostname of the struck host's tunnel."""
    return int(stage.world.info["public_port"]), f"{stage.host.name}.{stage.world.info['zone_name']}"
