"""What is recorded of Ollama, the real one or the stand-in: one scenario for both."""

import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.real.exchange import HOST, Client, exit_code, kept, running, tail, until
from tests.real.recording import Recording

from inferagent.lab.demo.world import free_ports
from inferagent.lab.engines import launch
from inferagent.lab.processes import Program, kill, worker

NAME = "chat"
OWN: dict[str, Any] = {"model": NAME, "prompt": "hello world", "options": {"num_predict": 5}}
OWN_TALK: dict[str, Any] = {
    "model": NAME,
    "messages": [{"role": "user", "content": "hello"}],
    "options": {"num_predict": 5},
}
PLAIN: dict[str, Any] = {"model": NAME, "prompt": "hello world", "max_tokens": 5}
TALK: dict[str, Any] = {"model": NAME, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
LONG = 200_000  # tokens: longer than anything here takes


@dataclass(frozen=True)
class Ollama:
    """A program, and the weights that it makes the model of."""

    weights: Path
    program: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def started(self, folder: Path, into: Recording) -> AsyncIterator[tuple[Program, Client]]:
        port = free_ports(1)[0]
        url, log = f"http://{HOST}:{port}", folder / "ollama.log"
        variables = self.variables(port, folder)
        command = launch.ollama("serve", program=self.program)
        async with running(command, variables, log, url, "/", 30) as (program, session):
            yield program, Client(session, url, into)

    def variables(self, port: int, folder: Path) -> dict[str, str]:
        return {**launch.ollama_environment(port, folder / "models"), **self.environment}

    async def create(self, url: str, folder: Path) -> None:
        modelfile, log = folder / "Modelfile", folder / "ollama.log"
        modelfile.write_text(f"FROM {self.weights}\n")
        variables = self.variables(int(url.rpartition(":")[2]), folder)
        command = launch.ollama("create", NAME, "-f", str(modelfile), program=self.program)
        code = await exit_code(command, variables, log, 60)
        assert code == 0, tail(log)


async def record(ollama: Ollama, folder: Path, version: str) -> Recording:
    into = Recording("Ollama", version)
    async with ollama.started(folder, into) as (program, client):
        await empty(client)
        await ollama.create(client.url, folder)
        await answers(client)
        await refusals(client)
        await loads(client)
        await runner_dies(program, client)
        await ends(program, client)
    await bad_start(ollama, folder, into)
    return into


async def empty(client: Client) -> None:
    pages = {"root": "/", "version": "/api/version", "nowhere": "/nowhere", "metrics": "/metrics"}
    for name, page in pages.items():
        await client.get(name, page)
    await client.ask("root by HEAD", "HEAD", "/")
    await client.get("foreign Host", "/", Host="gpu.example.com")
    await client.get("no models", "/api/tags")
    await client.get("no shared models", "/v1/models")
    await client.get("nothing loaded", "/api/ps")


async def answers(client: Client) -> None:
    await client.get("models", "/api/tags")
    await client.get("shared models", "/v1/models")
    await client.post("generate", "/api/generate", {**OWN, "stream": False})
    await client.post("generate stream", "/api/generate", OWN)
    await client.post("own chat", "/api/chat", {**OWN_TALK, "stream": False})
    await client.post("own chat stream", "/api/chat", OWN_TALK)
    await client.post("completion", "/v1/completions", PLAIN)
    await client.post("completion stream with usage", "/v1/completions", {**PLAIN, **USAGE})
    await client.post("chat", "/v1/chat/completions", TALK)
    await client.post("chat stream", "/v1/chat/completions", {**TALK, "stream": True})
    await client.post("chat stream with usage", "/v1/chat/completions", {**TALK, **USAGE})
    await client.get("loaded", "/api/ps")


async def refusals(client: Client) -> None:
    for name, path in (
        ("generate", "/api/generate"),
        ("own chat", "/api/chat"),
        ("completion", "/v1/completions"),
        ("chat", "/v1/chat/completions"),
    ):
        talk = "chat" in name
        asked = {**(TALK if talk else PLAIN), "model": "nope"}
        await client.post(f"unknown model of a {name}", path, asked)
        await client.post(f"no JSON for a {name}", path, b"{nothing")
    await client.get("wrong method", "/api/generate")
    await client.post("copy", "/api/copy", {"source": NAME, "destination": "other"})
    await client.post("copy of nothing", "/api/copy", {"source": "nope", "destination": "other"})
    await client.ask("delete", "DELETE", "/api/delete", {"model": "other"})
    await client.ask("delete of nothing", "DELETE", "/api/delete", {"model": "other"})


async def loads(client: Client) -> None:
    """Without a prompt nothing is generated."""
    await client.post("unload", "/api/generate", {"model": NAME, "keep_alive": 0})
    await client.post("load", "/api/generate", {"model": NAME})
    await client.post("load by chat", "/api/chat", {"model": NAME, "messages": []})


async def runner_dies(program: Program, client: Client) -> None:
    """Of each stream the end alone: how far it came differs."""
    for name, path, asked in (
        ("own stream when its runner died", "/api/generate", {**OWN, "options": {"num_predict": LONG}}),
        ("stream when its runner died", "/v1/completions", {**PLAIN, "max_tokens": LONG, "stream": True}),
    ):
        await loaded(client)
        found = worker(program.pid)
        assert found is not None
        async with client.session.post(f"{client.url}{path}", json=asked) as response:
            await response.content.readany()
            kill(found.pid)
            answer = await kept(f"POST {path}", response)
        answer.body = answer.body[-2:]
        client.into.answers[name] = answer


async def loaded(client: Client) -> None:
    """A generation comes back: a runner that died is noticed by the next one."""

    async def answers() -> bool:
        return (await client.quiet("POST", "/v1/completions", PLAIN))[0] == 200

    await until(answers, 20)


async def ends(program: Program, client: Client) -> None:
    await loaded(client)
    async with client.session.post(
        f"{client.url}/api/generate", json={**OWN, "options": {"num_predict": LONG}}
    ) as one:
        await one.content.readany()
        program.signal(signal.SIGTERM)
        answer = await kept("POST /api/generate", one)
    answer.body = answer.body[-1:]
    client.into.answers["own stream at SIGTERM"] = answer
    client.into.exits["SIGTERM"] = await program.ended(15)


async def bad_start(ollama: Ollama, folder: Path, into: Recording) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        variables = ollama.variables(int(taken.getsockname()[1]), folder)
        command = launch.ollama("serve", program=ollama.program)
        into.exits["port taken"] = await exit_code(command, variables, folder / "ollama.log", 15)
