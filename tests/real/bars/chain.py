"""What the bars share: hosts of the real programs, named by version and without a path, and their users."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from tests.bench.figures import machine

from inferagent.lab.demo import programs
from inferagent.lab.demo.host import Host
from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.demo.world import EMPTY, World
from inferagent.lab.traffic import HOST_HEADER, Traffic
from inferagent.lab.traffic_judge import Kind, Outcome

# How long a host may take to serve again: a real vLLM loads for minutes where others use the cores, too.
BACK = 600.0
LONGEST = "2048"  # tokens of a prompt and its answer
PARALLEL = "8"  # requests that an Ollama works on at once; a vLLM of the lab does as many
NAMES = {"vllm": "vLLM", "ollama": "Ollama", "cloudflared": "cloudflared"}
CURES = {
    "vllm": "name it by INFERAGENT_VLLM and a model's folder by INFERAGENT_VLLM_MODEL",
    "ollama": f"name it by INFERAGENT_OLLAMA, and by OLLAMA_MODELS a store that holds {PUBLIC_NAME}",
    "cloudflared": "name it by INFERAGENT_CLOUDFLARED",
}
SERVERS = {"uvicorn": "vllm", "cloudflare": "ollama"}  # the edge puts its own name where there is none
_BUILD = re.compile(r'^build_info\{.*version="([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chain:
    """How the bars are to be measured; `stand_ins`: with no real program at all, to see that they run."""

    stand_ins: bool = False
    seed: int = 0

    def add(
        self,
        world: World,
        name: str,
        kind: str,
        weight: int,
        settings: Mapping[str, str | int] = EMPTY,
        stand_in: bool = False,
    ) -> Host:
        """A host of real programs, or of stand-ins where that was asked for: never one for the other."""
        host = world.add(name, kind, weight, settings, stand_in=stand_in or self.stand_ins)
        wanted = not (stand_in or self.stand_ins)
        if wanted and not (host.engine.real and host.connector.real):
            raise RuntimeError(f"cannot measure {name} with a real {NAMES[kind]} and a real cloudflared")
        environment = {**host.engine.environment, **_environment(host)}
        host.engine = replace(host.engine, command=long(host.engine.command), environment=environment)
        return host

    def missing(self, folder: Path) -> dict[str, str]:
        """Real programs that are wanted and not there, each with its cure."""
        if self.stand_ins:
            return {}
        found = {
            "vllm": programs.vllm(folder).real,
            "ollama": programs.ollama(folder).real,
            "cloudflared": programs.connector([], "").real,
        }
        return {name: CURES[name] for name, there in found.items() if not there}

    def traffic(self, world: World, kinds: list[Kind], rate: float) -> Traffic:
        """Real engines may end an answer early, so that only stand-ins are asked for every token; nor do real
        ones say which host they are, but a vLLM's server tells its own name, and an Ollama none."""
        header = HOST_HEADER if self.stand_ins else "Server"
        return Traffic(
            world.info["public"], PUBLIC_NAME, kinds, rate, world.public_host, self.stand_ins, header
        )


def long(command: tuple[str, ...]) -> tuple[str, ...]:
    """The same engine with room for a stream of some seconds, where it has a bound of its own."""
    words = list(command)
    if "--max-model-len" in words:
        words[words.index("--max-model-len") + 1] = LONGEST
    return tuple(words)


def _environment(host: Host) -> dict[str, str]:
    own = {} if host.engine.real else {"LAB_START_SECONDS": "0.5"}
    return own | ({"OLLAMA_NUM_PARALLEL": PARALLEL} if host.engine.kind == "ollama" else {})


def begun() -> dict[str, Any]:
    """When and on what machine a measurement begins."""
    return {"date": time.strftime("%Y-%m-%d %H:%M"), **machine()}


async def about(hosts: Iterable[Host]) -> dict[str, Any]:
    """What runs on each host that serves now, by name and version."""
    return {host.name: f"{await _engine(host)}, {await _connector(host)}" for host in hosts}


async def _engine(host: Host) -> str:
    if not host.engine.real:
        return f"stand-in {NAMES[host.engine.kind]}"
    path = "/version" if host.engine.kind == "vllm" else "/api/version"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{host.engine_port}{path}") as answer,
    ):
        return f"real {NAMES[host.engine.kind]} {(await answer.json())['version']}"


async def _connector(host: Host) -> str:
    if not host.connector.real:
        return "stand-in connector"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{host.metrics_port}/metrics") as answer,
    ):
        return f"real cloudflared {version_in(await answer.text())}"


def version_in(metrics: str) -> str:
    found = _BUILD.search(metrics)
    return found[1] if found else "of an unknown version"


def answered_by(outcome: Outcome) -> str:
    """The engine's kind where the real one answered, the host's name where a stand-in did, "" for nobody."""
    return SERVERS.get(outcome.host, outcome.host)


async def served(world: World) -> dict[str, int]:
    """Requests that the edge has sent to each host until now: real engines do not say who they are."""
    counted = (await world.ask("GET", "/edge"))["counters"]["requests"]
    pools = (await world.ask("GET", "/state"))["pools"].values()
    ids = {pool["name"]: pool["id"] for pool in pools}
    return {host.name: int(counted.get(ids[host.name], 0)) for host in world.hosts}
