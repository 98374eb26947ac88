"""What strikes the connector's process: signals, what it needs at its start, and who else wants its port."""

import asyncio
import base64
import secrets
import signal
from dataclasses import replace
from pathlib import Path

import aiohttp
from tests.matrix import tunnels
from tests.matrix.fault import Fault, fault
from tests.matrix.gates import Gates
from tests.matrix.name_relay import NameRelay
from tests.matrix.stage import Stage

from inferagent.lab.demo.host import Host
from inferagent.lab.edge.nameserver import REGIONS
from inferagent.lab.processes import Program, kill, look, session_of

KILLS = 5
LASTS = 25.0  # seconds: more than every bound of a hang and of a lost edge
NEW_LIFE = 60.0  # seconds until a connector that ended has a new life
THEIRS = [{"hostname": "shop.example.com", "service": "http_status:204"}, {"service": "http_status:404"}]
DEAF = ("sh", "-c", 'trap "" TERM; "$@" & wait', "deaf")


@fault("kill-connector")
class KillConnector(Fault):
    async def strike(self, stage: Stage) -> None:
        kill(stage.host.pid("connector"))


@fault("kill-connector-again")
class KillConnectorAgain(Fault):
    """Each new life is ended as soon as it is there."""

    async def strike(self, stage: Stage) -> None:
        kill(stage.host.pid("connector"))

    async def heal(self, stage: Stage) -> None:
        last = stage.host.pid("connector")
        for _ in range(KILLS - 1):
            last = await new_life(stage, last)
            kill(last)


@fault("stop-connector")
class StopConnector(Fault):
    """Its connections stay and nothing comes through them; its metrics port takes calls and says nothing."""

    async def strike(self, stage: Stage) -> None:
        kill(stage.host.pid("connector"), signal.SIGSTOP)

    async def heal(self, stage: Stage) -> None:
        try:
            await lasts(stage)
        finally:
            kill(stage.host.pid("connector"), signal.SIGCONT)


@fault("rotate-secret")
class RotateSecret(Fault):
    """Its token was good when it was written."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        await tunnels.rotate(stage.world, tunnels.tunnel_of(stage.host), fresh)

    async def heal(self, stage: Stage) -> None:
        token = tunnels.token_file(stage.host).read_text()
        await tunnels.rotate(stage.world, tunnels.tunnel_of(stage.host), tunnels.secret_in(token))


@fault("other-token")
class OtherToken(Fault):
    """Somebody put the token of another tunnel with the same rules into the file."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        file, world = tunnels.token_file(stage.host), stage.world
        rules = await tunnels.ingress(world, tunnels.tunnel_of(stage.host))
        stage.notes["token"] = file.read_text()
        file.write_text(await tunnels.make_tunnel(world, "another", rules) + "\n")

    async def heal(self, stage: Stage) -> None:
        """The right token, and the connector asked to end: its supervisor starts it with that one."""
        tunnels.token_file(stage.host).write_text(stage.notes["token"])
        kill(stage.host.pid("connector"), signal.SIGTERM)


@fault("take-metrics-port")
class TakeMetricsPort(Fault):
    """The person's own cloudflared, of another tunnel, was there first."""

    waits_for_serving = False

    async def strike(self, stage: Stage) -> None:
        host, world = stage.host, stage.world
        file = host.folder / "their-token"
        file.write_text(await tunnels.make_tunnel(world, "another", THEIRS) + "\n")
        told = {"TUNNEL_TOKEN_FILE": str(file), "TUNNEL_METRICS": f"127.0.0.1:{host.metrics_port}"}
        told |= {"NO_AUTOUPDATE": "true", "HOME": str(host.folder)}
        self.theirs = await Program.start(list(host.connector.command), told, host.folder / "theirs.log")
        stage.endings.push_async_callback(self.theirs.end)

        async def connected() -> bool:
            return await ready_connections(host) > 0

        await stage.until(connected, "their cloudflared is connected")

    async def heal(self, stage: Stage) -> None:
        self.let_in = await stage.disables()
        await self.theirs.end()

    async def check(self, stage: Stage) -> list[str]:
        return [f"it was let in {self.let_in}× on another tunnel's word"] if self.let_in else []


@fault("names-silent")
class NamesSilent(Fault):
    """The connector is given the edge's names instead of its addresses; what it asks says nothing."""

    waits_for_serving = False

    async def before(self, stage: Stage) -> None:
        port = stage.world.info["tunnel_port"]
        edge = with_edge(stage.host, [f"{name}:{port}" for name in REGIONS])
        where = stage.world.info["dns"]
        if stage.host.connector.real:
            relay = NameRelay(where)
            await relay.listen()
            stage.endings.callback(relay.close)
            command = relay.seen_by(edge, stage.host.folder / "resolv.conf")
        else:
            command = ("env", f"LAB_DNS={where}", *edge)
        stage.host.connector = replace(stage.host.connector, command=command)

    async def strike(self, stage: Stage) -> None:
        await stage.world.ask("POST", "/edge", {"do": "names", "say": "silence"})

    async def heal(self, stage: Stage) -> None:
        await stage.world.ask("POST", "/edge", {"do": "names", "say": "answer"})


@fault("deaf-connector")
class DeafConnector(Fault):
    """It was started by a script that passes no SIGTERM on; its edge goes, so that it must be restarted."""

    async def before(self, stage: Stage) -> None:
        host = stage.host
        self.gates = await Gates.to(stage.world.info["edge"], 2, stage.endings)
        command = (*DEAF, *with_edge(host, self.gates.addresses))
        host.connector = replace(host.connector, command=command)
        host.settings["connector.environment.TUNNEL_GRACE_PERIOD"] = "3s"

    async def strike(self, stage: Stage) -> None:
        self.first = stage.host.pid("connector")
        self.old = [one.pid for one in session_of(self.first)]
        assert len(self.old) > 1, "the script runs the connector as its child"
        await self.gates.set("refuse")

    async def heal(self, stage: Stage) -> None:
        await new_life(stage, self.first)
        await self.gates.set("open")

    async def check(self, stage: Stage) -> list[str]:
        left = [one for one in map(look, self.old) if one and one.state != "Z"]
        return [f"{one.name} ({one.pid}) outlived its restart" for one in left]


async def lasts(stage: Stage, seconds: float = LASTS) -> None:
    """Until status has named it, and so long that whoever acts too soon is seen acting."""

    async def named() -> bool:
        status = await stage.status()
        codes = {finding["code"] for finding in status.get("findings", ())}
        return bool({status.get("root_code"), *codes} & set(stage.row.root))

    await stage.until(named, f"status names {' or '.join(stage.row.root)}")
    await asyncio.sleep(max(0.0, stage.struck + seconds - stage.now))


async def new_life(stage: Stage, last: int, seconds: float = NEW_LIFE) -> int:
    """The pid of the connector that runs after that one; AssertionError where none comes."""

    async def there() -> bool:
        return stage.host.pid("connector") not in (0, last)

    await stage.until(there, "a new life of the connector", seconds)
    return stage.host.pid("connector")


def with_edge(host: Host, addresses: list[str]) -> tuple[str, ...]:
    """The words of the host's connector, with these addresses as its edge."""
    words = list(host.connector.command)
    while "--edge" in words:
        at = words.index("--edge")
        del words[at : at + 2]
    at = words.index("tunnel") + 1
    edge = [word for address in addresses for word in ("--edge", address)]
    return (*words[:at], *edge, *words[at:])


async def ready_connections(host: Host) -> int:
    """As who has the metrics port of the host's connector counts them; 0 while nobody answers."""
    url = f"http://127.0.0.1:{host.metrics_port}/ready"
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return int((await answer.json(content_type=None))["readyConnections"])
    except aiohttp.ClientError:
        return 0


def log_of(host: Host) -> Path:
    return host.run / "units" / "connector.log"
