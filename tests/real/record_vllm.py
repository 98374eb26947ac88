"""What is recorded of vLLM, the real one or the stand-in: one scenario for both."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.exchange import HOST, Client, exit_code, kept, running, until
from tests.real.recording import Recording

from inferagent.lab.demo.world import free_ports
from inferagent.lab.engines import launch
from inferagent.lab.processes import Program, kill, worker

NAME, KEY, LONGEST = "chat", "lab-key", 1024
SMALL = ("--max-num-seqs", "4", "--max-model-len", str(LONGEST))
PLAIN: dict[str, Any] = {"model": NAME, "prompt": "hello world", "max_tokens": 5, "ignore_eos": True}
TALK: dict[str, Any] = {
    "model": NAME,
    "messages": [{"role": "user", "content": "hello"}],
    "max_tokens": 5,
    "ignore_eos": True,
}
LONG: dict[str, Any] = {**PLAIN, "max_tokens": 900}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
RUNNING = "vllm:num_requests_running{"


@dataclass(frozen=True)
class Vllm:
    """A program that serves a model, and how long it may take to start."""

    program: str = ""
    model: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 20.0

    def command(self, port: int, *more: str, model: str = "") -> list[str]:
        return launch.vllm(port, NAME, (*SMALL, *more), self.program, model or self.model)

    @asynccontextmanager
    async def started(
        self, folder: Path, into: Recording, *more: str
    ) -> AsyncIterator[tuple[Program, Client]]:
        port = free_ports(1)[0]
        url, log = f"http://{HOST}:{port}", folder / "vllm.log"
        command = self.command(port, *more)
        async with running(command, self.environment, log, url, "/health", self.seconds) as (
            program,
            session,
        ):
            yield program, Client(session, url, into)


async def record(vllm: Vllm, folder: Path, version: str) -> Recording:
    into = Recording("vLLM", version)
    async with vllm.started(folder, into) as (program, client):
        await answers(client)
        await refusals(client)
        await client.metrics("used")
        await worker_dies(program, client)
    await leaves(vllm, folder, into)
    await quiet(vllm, folder, into)
    await bad_starts(vllm, folder, into)
    return into


async def answers(client: Client) -> None:
    await client.metrics("idle")
    for page in ("/health", "/ping", "/version", "/load", "/v1/models"):
        await client.get(page.strip("/"), page)
    await client.post("completion", "/v1/completions", PLAIN)
    await client.post("chat", "/v1/chat/completions", TALK)
    await client.post("completion stream", "/v1/completions", {**PLAIN, "stream": True})
    await client.post("completion stream with usage", "/v1/completions", {**PLAIN, **USAGE})
    await client.post("chat stream", "/v1/chat/completions", {**TALK, "stream": True})
    await client.post("chat stream with usage", "/v1/chat/completions", {**TALK, **USAGE})


async def refusals(client: Client) -> None:
    await client.get("nowhere", "/nowhere")
    await client.get("wrong method", "/v1/completions")
    await client.post("unknown model", "/v1/completions", {**PLAIN, "model": "nope"})
    await client.post("unknown model of a chat", "/v1/chat/completions", {**TALK, "model": "nope"})
    await client.post("no JSON", "/v1/completions", b"{nothing")
    await client.post("no messages", "/v1/chat/completions", {"model": NAME})
    await client.post("too many tokens", "/v1/completions", {**PLAIN, "max_tokens": LONGEST * 4})
    await client.post("no tokens", "/v1/completions", {**PLAIN, "max_tokens": -1})


async def busy(client: Client, count: int) -> None:
    """So many requests are in its batch."""

    async def seen() -> bool:
        _, text = await client.quiet("GET", "/metrics")
        lines = [line for line in text.decode().splitlines() if line.startswith(RUNNING)]
        return sum(float(line.rpartition(" ")[2]) for line in lines) == count

    await until(seen, 20)


async def worker_dies(program: Program, client: Client) -> None:
    async with asyncio.TaskGroup() as group:
        ended = [
            group.create_task(client.post("plain when its worker died", "/v1/completions", LONG)),
            group.create_task(stream_cut(client)),
        ]
        await busy(client, len(ended))
        found = worker(program.pid)
        assert found is not None
        kill(found.pid)
    client.into.exits["worker killed"] = await program.ended(60)


async def stream_cut(client: Client) -> None:
    """The end of it alone: how far it came differs."""
    body = {**LONG, "stream": True}
    async with client.session.post(f"{client.url}/v1/completions", json=body) as response:
        answer = await kept("POST /v1/completions", response)
    answer.body = answer.body[-2:]
    client.into.answers["stream when its worker died"] = answer


async def leaves(vllm: Vllm, folder: Path, into: Recording) -> None:
    """SIGTERM with a request in flight and time to end it; the key is tried beside."""
    key = {"Authorization": f"Bearer {KEY}"}
    async with vllm.started(folder, into, "--shutdown-timeout", "30", "--api-key", KEY) as (program, client):
        await client.get("no key", "/v1/models")
        await client.get("wrong key", "/v1/models", Authorization="Bearer other")
        await client.get("version without a key", "/version")
        async with asyncio.TaskGroup() as group:
            group.create_task(
                client.post("begun before SIGTERM", "/v1/completions", {**LONG, "max_tokens": 400}, **key)
            )
            await busy(client, 1)
            program.signal(signal.SIGTERM)

            async def refuses() -> bool:
                return await client.post("after SIGTERM", "/v1/completions", PLAIN, **key) == 500

            await until(refuses, 5)
            await client.get("health after SIGTERM", "/health")
        into.exits["SIGTERM with a shutdown timeout"] = await program.ended(60)


async def quiet(vllm: Vllm, folder: Path, into: Recording) -> None:
    async with vllm.started(folder, into, "--disable-log-stats") as (program, client):
        await client.metrics("without-stats")
        program.signal(signal.SIGTERM)
        into.exits["SIGTERM when idle"] = await program.ended(60)


async def bad_starts(vllm: Vllm, folder: Path, into: Recording) -> None:
    log = folder / "vllm.log"
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        command = vllm.command(int(taken.getsockname()[1]))
        into.exits["port taken"] = await exit_code(command, vllm.environment, log, vllm.seconds)
    command = vllm.command(free_ports(1)[0], model=str(folder / "nowhere"))
    into.exits["no such model"] = await exit_code(command, vllm.environment, log, vllm.seconds)
