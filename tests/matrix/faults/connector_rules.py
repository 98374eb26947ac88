"""What strikes the tunnel's configuration, what else uses the tunnel, and replicas of one tunnel."""

import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from tests.matrix import tunnels
from tests.matrix.fault import Fault, fault
from tests.matrix.faults.connector import log_of, new_life
from tests.matrix.guests import Elsewhere, Guests, Savers
from tests.matrix.stage import Stage

from inferagent.adapters.units.command import Manners
from inferagent.lab.demo.host import Host
from inferagent.lab.processes import kill
from inferagent.lab.traffic_judge import Kind

TRANSLATED = Path(__file__).parents[2] / "support" / "replica_connector.py"
NOBODY: dict[str, str] = {"service": "http_status:404"}
SLOW = 8.0  # seconds that a guest's request is under way
RULES, SAVES, LOUD = 900, 3.0, 1 << 20  # rules; saves a second; bytes a second that they may make of it
ELSEWHERE = {"service": "http_status:204"}


@fault("empty-ingress")
class EmptyIngress(Fault):
    """Somebody saved the tunnel with nothing but the rule that catches all."""

    async def strike(self, stage: Stage) -> None:
        tunnel = tunnels.tunnel_of(stage.host)
        stage.notes["rules"] = await tunnels.ingress(stage.world, tunnel)
        self.first = stage.host.pid("connector")
        await tunnels.put_ingress(stage.world, tunnel, [NOBODY])

    async def heal(self, stage: Stage) -> None:
        """A restart alone mends nothing: the rules come from the account."""
        await new_life(stage, self.first)
        await tunnels.put_ingress(stage.world, tunnels.tunnel_of(stage.host), stage.notes["rules"])


@fault("bad-push")
class BadPush(Fault):
    """An address with a path, which the account takes and the connector does not."""

    async def strike(self, stage: Stage) -> None:
        tunnel = tunnels.tunnel_of(stage.host)
        rules = stage.notes["rules"] = await tunnels.ingress(stage.world, tunnel)
        *before, ours, last = rules
        bad = {**ours, "service": f"{ours['service']}/v1"}
        await tunnels.put_ingress(stage.world, tunnel, [*before, bad, last])
        await stage.until(lambda: _refused(stage, tunnel), "the connector refuses it")

    async def heal(self, stage: Stage) -> None:
        await tunnels.put_ingress(stage.world, tunnels.tunnel_of(stage.host), stage.notes["rules"])


async def _refused(stage: Stage, tunnel: str) -> bool:
    connections = (await stage.world.ask("GET", "/edge"))["tunnels"][tunnel]
    return bool(connections) and all(one["config_answer"].get("err") is not None for one in connections)


@fault("second-hostname")
class SecondHostname(Fault):
    """Another service on the same tunnel: some requests long, the others failing, and the engine idle."""

    async def before(self, stage: Stage) -> None:
        self.elsewhere = Elsewhere(SLOW)
        await self.elsewhere.listen()
        stage.endings.push_async_callback(self.elsewhere.close)

    async def start(self, stage: Stage) -> None:
        kinds = [Kind("slow", "/slow", False, 0, 3 * SLOW), Kind("broken", "/broken", False, 0, SLOW)]
        name = await add_guest(stage, "guest", self.elsewhere.url)
        stage.traffic = Guests(stage.world.info["public"], "", kinds, 1.0, name)

    async def strike(self, stage: Stage) -> None:
        """They are there already."""


@fault("flood-log")
class FloodLog(Fault):
    """Somebody's automation saves hundreds of rules again and again: each push is logged whole."""

    async def start(self, stage: Stage) -> None:
        world, tunnel = stage.world, tunnels.tunnel_of(stage.host)
        ours = await tunnels.ingress(world, tunnel)
        zone = world.info["zone_name"]
        theirs = [{"hostname": f"a-service-of-somebody-else-{n}.{zone}", **ELSEWHERE} for n in range(RULES)]
        stage.traffic = Savers(
            world.info["api"],
            "",
            [Kind("save", tunnels.configuration_path(world, tunnel), False, 0, 15.0)],
            SAVES,
            beside=stage.traffic,
            token=stage.host.token_file.read_text().strip(),
            body={"config": {"ingress": [*theirs, *ours]}},
        )

    async def strike(self, stage: Stage) -> None:
        """It is at it already."""

    async def check(self, stage: Stage) -> list[str]:
        """Shortened once a minute, to nothing once it is over its bound."""
        log, kept = log_of(stage.host), Manners()
        size, before = log.stat().st_size, log.with_name(log.name + ".1")
        found = [] if before.exists() else [f"the connector's log was never shortened: {size} bytes"]
        if before.exists() and size > kept.log_bytes + LOUD * kept.log_look:
            found.append(f"the connector's log has {size} bytes")
        silent = [moment for moment in stage.watch.since(stage.struck) if not moment.phase]
        return found + ([f"the agent did not answer {len(silent)}×"] if silent else [])


async def add_guest(stage: Stage, label: str, service: str) -> str:
    """A hostname of the struck host's tunnel with a rule of its own, before all others."""
    tunnel = tunnels.tunnel_of(stage.host)
    name = await tunnels.make_hostname(stage.world, label, tunnel)
    rules = await tunnels.ingress(stage.world, tunnel)
    await tunnels.put_ingress(stage.world, tunnel, [{"hostname": name, "service": service}, *rules])
    return name


@fault("kill-nearest-replica")
class KillNearestReplica(Fault):
    """The others return after it, so that it is the nearest and has all requests when it is killed."""

    async def before(self, stage: Stage) -> None:
        for place, peer in enumerate(stage.peers):
            stage.peers[place] = replica = _Replica(**vars(peer), like=stage.host)
            hosts = stage.world.hosts
            hosts[hosts.index(peer)] = replica

    async def start(self, stage: Stage) -> None:
        for peer in stage.peers:
            words = ("--wait", "--last", "--reason", "the other one first")
            await peer.command("drain", "--config", str(peer.config), *words)

    async def strike(self, stage: Stage) -> None:
        for peer in stage.peers:
            await peer.command("resume", "--config", str(peer.config))
            await stage.serving(peer)
        stage.struck = stage.now
        kill(stage.host.pid("connector"))


class _Replica(Host):
    """One more host of the tunnel on this machine: its connector exchanges the shared ports for its own."""

    def __init__(self, like: Host, **fields: Any) -> None:
        super().__init__(**fields)
        pairs = f"{like.engine_port}={self.engine_port},{like.ready_port}={self.ready_port}"
        words = self.connector.command
        stand_in = (sys.executable, str(TRANSLATED), pairs, *words[words.index("tunnel") :])
        self.connector = replace(self.connector, command=stand_in)
        self._like = like

    async def setup(self, cloud: dict[str, Any], *extra: str) -> str:
        shared = {"--engine-url": f"http://127.0.0.1:{self._like.engine_port}"}
        shared |= {"--ready-port": str(self._like.ready_port)}
        told = [word for pair in shared.items() for word in pair]
        said = await super().setup(cloud, *told, *extra)
        engine = tomllib.loads((self.config / "config.toml").read_text())["engine"][0]
        engine["url"] = f"http://127.0.0.1:{self.engine_port}"
        (self.config / "conf.d").mkdir(exist_ok=True)
        here = tomlkit.dumps({"engine": [engine], "ready": {"port": self.ready_port}})
        (self.config / "conf.d" / "here.toml").write_text(here)
        return said
