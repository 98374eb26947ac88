"""A host without its agent, in virtual time: account, edge and monitor of the lab, the real ready program.

The agent that puts the pool in is the real loop with the real own-pool membership; its engine is a port.
Tunnels are left out: a monitor's look goes straight to the ready program's answer.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.support.fakes import FakeState, FakeUnit
from tests.support.virtual import VirtualClock

from inferagent.adapters.cloudflare.client import Call
from inferagent.adapters.cloudflare.own_pool import OwnPool, Place
from inferagent.adapters.verdict_file import VerdictFile
from inferagent.lab.cloudflare import calls
from inferagent.lab.cloudflare.server import PERMISSIONS, ROUTES
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Store
from inferagent.lab.edge.counters import Counters
from inferagent.lab.edge.health import Health
from inferagent.lab.edge.monitors import Monitors
from inferagent.lab.edge.router import Router
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.edge.view import View
from inferagent.model.decision import Decision
from inferagent.model.desired import Desired, EngineKind, Terms
from inferagent.model.engine import EngineLook, Generation, Load, Outcome, Progress
from inferagent.model.reading import NotAvailable, Value
from inferagent.model.status import Status
from inferagent.model.tunnel import ConnectorLook, Ingress, Traffic
from inferagent.model.unit import Part
from inferagent.programs.ready import BOOT_ID, Server, content
from inferagent.programs.setup import EngineRequest, SetupRequest, pools, routing
from inferagent.runtime.act import Hands
from inferagent.runtime.board import Board
from inferagent.runtime.jobs import Jobs
from inferagent.runtime.loop import Loop
from inferagent.runtime.probes import Probe

PUBLIC = "llm.example.com"
HERE, OTHER = "gpu-a", "gpu-b"
INTERVAL = 60  # seconds between two looks of the monitor, as setup makes it


class HostClock(VirtualClock):
    """Virtual seconds of the real boot: the ready program believes only a verdict of its own boot."""

    def boot(self) -> str:
        return content(BOOT_ID).decode().strip()


class Account:
    """A client of the account's API without a wire: the lab's own handlers, journalled as the lab does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._token = store.add_token("token", PERMISSIONS)

    async def call(self, call: Call) -> object:
        for route in ROUTES:
            found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.path), call.path)
            if found and route.method == call.method:
                return self._handled(route, found.groupdict(), call)
        raise AssertionError(f"no such call: {call.method} {call.path}")

    def _handled(self, route: calls.Route, params: dict[str, str], call: Call) -> object:
        tables, query = self.store.tables, dict(call.params or {})
        lab = calls.Call(self.store, tables, Settings(), self._token, params, query, call.body)
        answer = route.handler(lab)
        if route.method != "GET":
            self.store.record(self._token.id, route.method, call.path, call.body)
        return answer.result


async def provision(account: Account, host: str) -> Place:
    """The bodies are setup's own; the first host's pool, monitor and load balancer, or the next one's."""
    store = account.store
    account_id, zone = str(store.account["id"]), str(store.zone["id"])
    engine = EngineRequest(EngineKind.VLLM, "http://127.0.0.1:8000", (("chat", "chat"),), ("vllm",))
    request = SetupRequest(host, PUBLIC, engine, weight=50, monitor_interval=INTERVAL)
    ids = {"tunnel": f"tunnel-{host}"}
    for wanted in (
        pools.monitor(request, account_id),
        pools.own_pool(request, account_id, "machine"),
        pools.fallback_pool(request, account_id),
        routing.load_balancer(request, zone),
    ):
        entries = await account.call(Call("look", "GET", wanted.where.path))
        found = next((entry for entry in entries if wanted.where.finds(entry)), None)  # type: ignore[attr-defined]
        if found is None:
            found = await account.call(Call("make", "POST", wanted.where.path, wanted.make(ids)))
        elif fields := wanted.change(found, ids):
            path = f"{wanted.where.path}/{found['id']}"
            found = await account.call(Call("change", "PATCH", path, fields))
        ids[wanted.key] = str(found["id"])  # type: ignore[index]
    return Place(account_id, zone, ids["pool"], ids["load_balancer"])


class Straight:
    """In place of tunnels: by tunnel id, what answers a monitor's request (HTTP in, HTTP out)."""

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}

    def pick(self, tunnel: str) -> "Straight.Way | None":
        return Straight.Way(self.answers[tunnel]) if tunnel in self.answers else None

    class Way:
        def __init__(self, answer: object) -> None:
            self._answer = answer

        @contextmanager
        def used(self) -> Iterator[None]:
            yield

        def open(self, headers: list[tuple[bytes, bytes]], *, end: bool) -> "Straight.Stream":
            assert end, "a monitor sends no body"
            asked = dict(headers)
            lines = [
                asked[b":method"] + b" " + asked[b":path"] + b" HTTP/1.1",
                b"Host: " + asked[b":authority"],
            ]
            lines += [name + b": " + value for name, value in headers if not name.startswith(b":")]
            return Straight.Stream(self._answer(b"\r\n".join(lines) + b"\r\n\r\n"))  # type: ignore[operator]

    class Stream:
        def __init__(self, response: bytes) -> None:
            head, _, self._body = response.partition(b"\r\n\r\n")
            self._status = head.split(b" ", 2)[1]

        async def head(self) -> list[tuple[bytes, bytes]]:
            return [(b":status", self._status)]

        async def read(self) -> bytes:
            body, self._body = self._body, b""
            return body

        def reset(self) -> None:
            return


class EnginePort:
    """The engine as a port that accepts, and the agent's EnginePort beside it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def look(self) -> EngineLook:
        now = self._clock.now()
        return EngineLook(
            accepts=Value(self._server is not None, now),
            models=Value(frozenset({"chat"}), now),
            progress=Value(Progress((("tokens", now),)), now),
            load=Value(Load(0, 0), now),
            lan=NotAvailable(now),
        )

    async def generate(self, deadline: float) -> Generation:
        del deadline
        now = self._clock.now()
        return Generation(Outcome.OK, now, now, "", "101:1")


class Host:
    """One host: engine, ready program, and an agent that can be taken away."""

    def __init__(self, run: Path, account: Account, place: Place, clock: HostClock) -> None:
        self.clock, self.place = clock, place
        self.engine = EnginePort(clock)
        self.state = FakeState()
        self.document: Status | None = None
        self._run, self._membership = run, OwnPool(account, place, clock)  # type: ignore[arg-type]

    @contextmanager
    def ready(self) -> Iterator[Server]:
        """The ready program's server; `pump` is its second."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            server = Server(str(self._run), listener, f"127.0.0.1:{self.engine.port}")
            try:
                yield server
            finally:
                server.port.close()
                server.selector.close()

    async def agent(self) -> None:
        """Until cancelled: probes, units and the loop, wired as the daemon wires them."""
        board = Board(lambda: loop.woken.set())
        jobs = Jobs(self.clock, lambda: loop.woken.set())
        units = {Part.ENGINE: FakeUnit(self.clock), Part.CONNECTOR: FakeUnit(self.clock)}
        probes = self._probes(board)
        loop = Loop(
            host=HERE,
            clock=self.clock,
            board=board,
            hands=Hands(units, self._membership, jobs, probes["pool"].nudge),  # type: ignore[arg-type]
            state=self.state,
            verdict=VerdictFile(self._run, self.clock),
            desired=Desired(terms=Terms(made_by_setup=True)),
            pace=lambda decision: _pace(probes, decision),
            publish=self._publish,
        )
        loop.begin()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(units[Part.ENGINE].watch(board.put("engine_unit")))
                group.create_task(units[Part.CONNECTOR].watch(board.put("connector_unit")))
                for probe in probes.values():
                    group.create_task(probe.run())
                group.create_task(loop.run())
        finally:
            await jobs.cancel()

    def _probes(self, board: Board) -> "dict[str, Probe[object]]":
        take = {
            "engine": self.engine.look,
            "connector": self._connector,
            "membership": self._membership.read,
            "generation": lambda: self.engine.generate(6.0),
        }
        names = {"membership": "pool"}
        return {
            names.get(slot, slot): Probe(slot, self.clock, look, board.put(slot), 10.0, 2.0)
            for slot, look in take.items()
        }

    async def _connector(self) -> ConnectorLook:
        now = self.clock.now()
        return ConnectorLook(
            ready=Value(4, now),
            traffic=Value(Traffic(0, 0), now),
            ingress=Value(Ingress(1, ()), now),
            tunnel_id=Value("", now),
        )

    def _publish(self, document: Status) -> None:
        self.document = document


def _pace(probes: "dict[str, Probe[object]]", decision: Decision) -> None:
    probes["pool"].set_pace(decision.pace.membership)
    probes["generation"].set_pace(decision.pace.generation)


def pump(server: Server) -> None:
    """One second of the ready program: what its sockets brought, then its own look at the engine's port."""
    for key, _ in server.selector.select(0):
        if server.selector.get_map().get(key.fd) is key:
            key.data()
    server.look()


class Edge:
    """Routing and monitors of the lab's edge, every change up to 10 s late."""

    def __init__(self, store: Store, ways: Straight, tasks: asyncio.TaskGroup) -> None:
        settings = EdgeSettings(cache_s=0.0)
        counters, health = Counters(), Health(settings.data_centres)
        self._view = View(store, settings)
        self._monitors = Monitors(store, self._view, health, ways, settings, counters, tasks)  # type: ignore[arg-type]
        self._router = Router(self._view, health, settings)
        self._view.on_change = self._monitors.changed
        store.subscribe(self._view.changed)
        self._monitors.start()

    def routes_to(self, pool: str) -> bool:
        return pool in {candidate.pool for candidate in self._router.resolution(PUBLIC).candidates}

    def close(self) -> None:
        self._view.close()
        self._monitors.close()


@asynccontextmanager
async def edge_beside(store: Store, ways: Straight) -> AsyncIterator[Edge]:
    async with asyncio.TaskGroup() as tasks:
        edge = Edge(store, ways, tasks)
        try:
            yield edge
        finally:
            edge.close()
