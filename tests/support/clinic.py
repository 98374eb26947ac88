"""A host that is set up and well, in an account and at an edge of the lab, for doctor to look at.

Account, edge and the agent's socket run on a thread of their own; engine, connector and ready program are
processes, as on a host. A fault changes one thing, and puts it back.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from aiohttp import web

from inferagent.adapters.clock import BootClock
from inferagent.adapters.cloudflare.identity import Promise, describe, machine_identity
from inferagent.adapters.gpu.leave import ReportWriter
from inferagent.adapters.verdict_file import VerdictFile
from inferagent.lab.cloud import Cloud, serve_cloud
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.demo.world import free_ports
from inferagent.lab.edge.nameserver import REGIONS
from inferagent.lab.edge.settings import EdgeSettings
from inferagent.lab.engines import launch
from inferagent.model.desired import EngineKind
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.kernel import KernelLook
from inferagent.model.reading import Value
from inferagent.programs import ready_starter, setup
from inferagent.programs.doctor.running import Result, examine
from inferagent.programs.doctor.sight import Direction
from inferagent.programs.doctor.table import CHECKS
from inferagent.programs.doctor.verdict import Verdict

T = TypeVar("T")
WELL = KernelLook()
PUBLIC, HOST = "llm.example.com", "gpu-a.example.com"
STATUS = {
    "schema": 1,
    "host": "gpu-a",
    "phase": "serving",
    "label": "",
    "sentence": "serving",
    "cure": "",
    "verdict": True,
    "agent_version": "0.1.0",
    "exit_code": 0,
}
QUICK = {"LAB_START_SECONDS": "0", "LAB_LOAD_SECONDS": "0.05", "LAB_TOKENS_PER_SECOND": "200"}
NAMED = (Verdict.FAIL, Verdict.WARN, Verdict.UNKNOWN)


@dataclass
class Clinic:
    """`direction` leads doctor to this lab; `status` is what the agent's socket answers."""

    folder: Path
    cloud: Cloud
    loop: asyncio.AbstractEventLoop
    ports: dict[str, int]
    status: dict[str, Any] = field(default_factory=lambda: dict(STATUS))
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    lazy: dict[str, Any] = field(default_factory=dict)
    runners: list[web.AppRunner] = field(default_factory=list)
    direction: Direction = field(init=False)

    @property
    def config(self) -> Path:
        return self.folder / "etc"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def settings(self) -> dict[str, Any]:
        return tomllib.loads((self.config / "config.toml").read_text())

    def examine(self, direction: Direction | None = None, **given: object) -> tuple[Result, ...]:
        return self.do(examine(CHECKS, direction or self.direction, given))

    def do(self, deed: Coroutine[Any, Any, T]) -> T:
        """On the lab's thread."""
        return asyncio.run_coroutine_threadsafe(deed, self.loop).result(60)

    def order(self, **words: object) -> None:
        self.do(self.cloud.edge.command(words))

    def spawn(self, argv: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        log = (self.folder / f"log-{len(self.children)}").open("wb")
        with log:
            child = subprocess.Popen(
                argv,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.children.append(child)
        return child

    def only(self, kind: str, name: str) -> dict[str, Any]:
        """An object of the account as it is."""
        table: dict[str, dict[str, Any]] = getattr(self.cloud.store, kind)
        return next(one for one in table.values() if one["name"] == name)

    @contextlib.contextmanager
    def changed(self, kind: str, key: str, new: dict[str, Any] | None) -> Iterator[None]:
        """One object of the account as another hand would leave it; None: deleted."""
        store = self.cloud.store
        before = getattr(store, f"{kind}s")[key]
        self.do(_put(store, kind, key, new))
        try:
            yield
        finally:
            self.do(_put(store, kind, key, before))

    @contextlib.contextmanager
    def configured(self, **tables: Any) -> Iterator[Direction]:
        """The direction to a copy of the configuration over which these keys are laid."""
        copy = self.folder / f"etc-{secrets.token_hex(4)}"
        shutil.copytree(self.config, copy)
        (copy / "conf.d").mkdir()
        (copy / "conf.d" / "fault.toml").write_text(tomlkit.dumps(tables))
        try:
            yield replace(self.direction, folder=copy)
        finally:
            shutil.rmtree(copy)

    def engine(self, **changes: object) -> list[dict[str, Any]]:
        """The whole [[engine]], with changes."""
        return [{**self.settings["engine"][0], **changes}]

    def report_gpus(self, on_bus: int = 1, kernel: KernelLook = WELL, **changes: Any) -> None:
        gpu = Gpu(0, "GPU-1", "NVIDIA L4", "0000:01:00", **changes)
        now = BootClock().now()
        report = GpuReport((gpu,), Value(on_bus, now), "550")
        writer = ReportWriter(self.run, BootClock(), 3600.0)
        writer.kernel(kernel, at_once=False)
        writer.report(Value(report, now))

    def once(self, name: str, start: Callable[["Clinic"], T]) -> T:
        """Something more that runs beside, started for the first fault that wants it."""
        if name not in self.lazy:
            self.lazy[name] = start(self)
        found: T = self.lazy[name]
        return found

    def recover(self) -> None:
        """The monitor has looked since the last fault, and sees the host well."""
        self.until("the monitor says healthy", lambda: (self.run / "asked").exists() and _healthy(self))

    def until(self, what: str, holds: Any, seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"{what}: not within {seconds} s"
            time.sleep(0.02)


async def _put(store: Any, kind: str, key: str, new: dict[str, Any] | None) -> None:
    if new is None:
        store.remove(kind, key)
    else:
        store.put(kind, key, new)


def named(results: tuple[Result, ...]) -> dict[str, list[Result]]:
    """What is not well, by hop."""
    found: dict[str, list[Result]] = {}
    for result in results:
        if result.verdict in NAMED:
            found.setdefault(str(result.hop), []).append(result)
    return found


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Clinic]:
    """All is up and well: examined, nothing is named."""
    with _cloud(folder / "cloud") as (cloud, loop):
        clinic = Clinic(folder, cloud, loop, dict(zip(PARTS, free_ports(len(PARTS)), strict=True)))
        try:
            _furnish(clinic)
            with _agent(clinic):
                yield clinic
        finally:
            for runner in clinic.runners:
                clinic.do(runner.cleanup())
            for child in clinic.children:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            _end_ready(clinic)


PARTS = ("engine", "metrics", "ready", "ollama", "lost", "dead", "open")


@contextlib.contextmanager
def _cloud(folder: Path) -> Iterator[tuple[Cloud, asyncio.AbstractEventLoop]]:
    loop, leave = asyncio.new_event_loop(), asyncio.Event()
    found: list[Cloud] = []
    ready = threading.Event()
    quick = EdgeSettings(lag=(0, 0), cache_s=0, interval_scale=0.05)

    async def stay() -> None:
        async with serve_cloud(folder, quick, Settings(monitor_interval_min=1)) as cloud:
            found.append(cloud)
            ready.set()
            await leave.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(stay(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0], loop
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join(20)
        loop.close()


def _furnish(clinic: Clinic) -> None:
    """Set up by the command that users have, then start what an agent would."""
    _make_root(clinic.root)
    ports, edge = clinic.ports, clinic.cloud.edge
    machine = machine_identity(clinic.root / "etc/machine-id")
    connector = [sys.executable, "-m", "inferagent.lab.connector", "tunnel", "--cacert", str(edge.ca_path)]
    connector += [word for place in edge.addresses for word in ("--edge", place)]
    connector += ["--protocol", "http2", "--no-prechecks", "run"]
    command = launch.vllm(ports["engine"], "chat")
    request = setup.SetupRequest(
        host="gpu-a",
        public=PUBLIC,
        engine=setup.EngineRequest(
            EngineKind.VLLM, f"http://127.0.0.1:{ports['engine']}", (("chat", "chat"),), tuple(command)
        ),
        connector=setup.ConnectorRequest(command=tuple(connector), metrics=f"127.0.0.1:{ports['metrics']}"),
        api_token_file=clinic.cloud.token_file,
        api=clinic.cloud.as_json()["api"],
        config_dir=clinic.config,
        state_dir=clinic.folder / "state",
        run_dir=clinic.run,
        ready_port=ports["ready"],
        monitor_interval=5,
    )
    said: list[str] = []
    code = setup.run(request, apply=True, confirm=lambda _: True, echo=said.append, machine=lambda: machine)
    assert code == 0, said
    clinic.run.mkdir()
    own = clinic.settings["connector"]["environment"]
    clinic.spawn(command, QUICK)
    clinic.spawn(connector, dict(own))
    clinic.until("the engine listens", lambda: listens(ports["engine"]))
    VerdictFile(clinic.run, BootClock()).write(True, "serving")
    clinic.do(ready_starter.ensure(clinic.run, ports["ready"], f"127.0.0.1:{ports['engine']}"))
    clinic.report_gpus()
    _join(clinic)
    info = clinic.cloud.as_json()
    clinic.direction = Direction(
        folder=clinic.config,
        dns=("127.0.0.1", int(info["dns"].partition(":")[2])),
        https_port=info["public_tls_port"],
        edge=tuple((name, info["tunnel_port"]) for name in REGIONS),
        ca=edge.ca_path,
        root=clinic.root,
        environ={},
    )
    clinic.recover()


def _make_root(root: Path) -> None:
    (root / "etc").mkdir(parents=True)
    (root / "etc/machine-id").write_text("5f2e" * 8 + "\n")
    (root / "proc").symlink_to("/proc")


def _join(clinic: Clinic) -> None:
    """Enable the pool, and put another host beside it, which is away."""
    store = clinic.cloud.store
    pool, balancer = clinic.only("pools", "gpu-a"), clinic.only("load_balancers", PUBLIC)
    other = {
        **pool,
        "id": "0" * 32,
        "name": "gpu-b",
        "description": describe(Promise("feed" * 4, ("chat",))),
        "enabled": False,
        "origins": [{**pool["origins"][0], "name": "gpu-b", "address": f"{'0' * 36}.cfargotunnel.com"}],
    }
    clinic.do(_put(store, "pool", other["id"], other))
    clinic.do(_put(store, "pool", pool["id"], {**pool, "enabled": True}))
    pools = [pool["id"], other["id"]]
    clinic.do(_put(store, "load_balancer", balancer["id"], {**balancer, "default_pools": pools}))


def _healthy(clinic: Clinic) -> bool:
    pool = clinic.only("pools", "gpu-a")
    return bool((clinic.cloud.store.health.get(pool["id"]) or {}).get("healthy"))


def listens(port: int) -> bool:
    with socket.socket() as plug:
        return plug.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def _agent(clinic: Clinic) -> Iterator[None]:
    """The agent's socket, without an agent behind it: it would mend or leave while a fault is looked at."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps(clinic.status).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        writer.close()

    server = clinic.do(asyncio.start_unix_server(answer, clinic.run / "control.sock"))
    try:
        yield
    finally:
        clinic.loop.call_soon_threadsafe(server.close)


def _end_ready(clinic: Clinic) -> None:
    with contextlib.suppress(OSError, ValueError, KeyError):
        os.kill(int(json.loads((clinic.run / "ready.json").read_text())["pid"]), signal.SIGKILL)
