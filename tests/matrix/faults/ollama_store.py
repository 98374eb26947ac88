"""What strikes the ground that an Ollama stands on: its models, its GPU, the way from the tunnel."""

import signal
import tomllib
from pathlib import Path

import aiohttp
import tomlkit
from tests.matrix.fault import Fault, fault
from tests.matrix.faults.common import given
from tests.matrix.ollama import api, own_store, tunnel, weights
from tests.matrix.stage import Stage
from tests.matrix.tunnels import ingress, put_ingress, tunnel_of

from inferagent.lab.demo.programs import PUBLIC_NAME
from inferagent.lab.processes import kill

SPARE = "spare"


@fault("ollama-rm")
class Removed(Fault):
    async def before(self, stage: Stage) -> None:
        own_store(stage)

    async def strike(self, stage: Stage) -> None:
        await self._copy(stage, PUBLIC_NAME, SPARE)
        status, _ = await api(stage, "DELETE", "/api/delete", {"model": PUBLIC_NAME})
        assert status == 200, f"the model was not removed: {status}"

    async def heal(self, stage: Stage) -> None:
        await self._copy(stage, SPARE, PUBLIC_NAME)

    async def _copy(self, stage: Stage, source: str, target: str) -> None:
        status, _ = await api(stage, "POST", "/api/copy", {"source": source, "destination": target})
        assert status == 200, f"the model was not copied: {status}"


@fault("ollama-store-gone")
class StoreGone(Fault):
    """As where the disk that holds it is not mounted any more."""

    async def before(self, stage: Stage) -> None:
        own_store(stage)

    async def strike(self, stage: Stage) -> None:
        store = stage.host.folder / "models"
        store.rename(store.with_name("away"))

    async def heal(self, stage: Stage) -> None:
        """The engine may have made an empty one meanwhile."""
        store = stage.host.folder / "models"
        if store.exists():
            store.rename(store.with_name("empty"))
        store.with_name("away").rename(store)


@fault("ollama-weights-torn")
class WeightsTorn(Fault):
    """The model is listed and cannot be loaded: its file has lost its end, and its runner its life."""

    def __init__(self) -> None:
        self.kept: dict[Path, bytes] = {}

    async def before(self, stage: Stage) -> None:
        own_store(stage)

    async def strike(self, stage: Stage) -> None:
        self.kept = {blob: blob.read_bytes() for blob in weights(stage)}
        for blob, content in self.kept.items():
            blob.write_bytes(content[: len(content) * 3 // 5])
        runner = stage.host.worker()
        kill(runner.pid if runner else 0)

    async def heal(self, stage: Stage) -> None:
        for blob, content in self.kept.items():
            blob.write_bytes(content)


@fault("ollama-on-cpu")
class OnCpu(Fault):
    """By the configuration the engine uses a GPU, but its models lie in memory: from an agent's start on."""

    async def before(self, stage: Stage) -> None:
        given(stage.host, LAB_VRAM_SHARE="0")

    async def strike(self, stage: Stage) -> None:
        configure(stage, gpus=[0])
        await self._restart(stage)

    async def heal(self, stage: Stage) -> None:
        configure(stage, gpus=[])
        await self._restart(stage)

    async def _restart(self, stage: Stage) -> None:
        """What an agent's start reads; nothing else of the host is touched by it."""
        await stage.host.kill_agent(signal.SIGTERM)
        await stage.host.start_agent()


@fault("ollama-on-cpu-beside-better")
class OnCpuBesideBetter(OnCpu):
    """The peers are provisioned first and thereby come first in the load balancer."""

    async def before(self, stage: Stage) -> None:
        await super().before(stage)
        stage.world.hosts.sort(key=lambda host: host is stage.host)


def configure(stage: Stage, **fields: object) -> None:
    """Set fields of the engine's table beside what setup wrote."""
    file = stage.host.config / "conf.d" / "matrix.toml"
    engine = tomllib.loads((stage.host.config / "config.toml").read_text())["engine"][0]
    file.parent.mkdir(exist_ok=True)
    file.write_text(tomlkit.dumps({"engine": [{**engine, **fields}]}))


@fault("ollama-host-header")
class HostHeader(Fault):
    """Another hand takes away the Host header that the tunnel gives: on loopback Ollama refuses others."""

    async def strike(self, stage: Stage) -> None:
        await self._push(stage, "")
        port, host = tunnel(stage)

        async def refused() -> bool:
            url, headers = f"http://127.0.0.1:{port}/api/version", {"Host": host}
            async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
                return answer.status == 403

        await stage.until(refused, "users get 403", 15)

    async def heal(self, stage: Stage) -> None:
        await self._push(stage, "localhost")

    async def _push(self, stage: Stage, header: str) -> None:
        """The whole configuration, with this one setting changed."""
        name = tunnel_of(stage.host)
        rules = await ingress(stage.world, name)
        for rule in rules:
            if rule.get("hostname") and not rule.get("path"):
                rule["originRequest"] = {"httpHostHeader": header} if header else {}
        await put_ingress(stage.world, name, rules)
