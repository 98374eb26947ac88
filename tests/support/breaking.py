"""Ways to break one thing of a clinic and to put it back.

Each may give doctor another direction: another configuration, another server to ask.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.support.clinic import HOST, PUBLIC, QUICK, Clinic, listens

from inferagent.adapters.cloudflare.identity import Promise, describe
from inferagent.config.terms import READY_PATH
from inferagent.lab.cloudflare.faults import Fault as ApiFault
from inferagent.lab.cloudflare.server import PERMISSIONS
from inferagent.lab.engines import launch
from inferagent.lab.processes import below
from inferagent.model.kernel import KernelFault
from inferagent.programs.doctor.sight import Direction

HASTY = 2.5  # seconds for doctor where nobody answers
OTHER = "11111111-2222-3333-4444-555555555555"
POOLS_WRITE = "Load Balancing: Monitors and Pools Write"
POOLS_READ = "Load Balancing: Monitors and Pools Read"
Break = Callable[[Clinic], AbstractContextManager[Direction | None]]


# --- configuration and credentials


@contextmanager
def bad_key(clinic: Clinic) -> Iterator[Direction]:
    with clinic.configured(mdoe="act") as direction:
        yield direction


@contextmanager
def observing(clinic: Clinic) -> Iterator[Direction]:
    with clinic.configured(mode="observe") as direction:
        yield direction


@contextmanager
def no_configuration(clinic: Clinic) -> Iterator[Direction]:
    yield replace(clinic.direction, folder=clinic.folder / "nowhere")


def credential(name: str, text: str | None = None, mode: int = 0o600) -> Break:
    """None: the file is gone."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        with clinic.configured() as direction:
            place = direction.folder / "credentials" / name
            if text is None and mode == 0o600:
                place.unlink()
            elif text is not None:
                place.write_text(text)
            if place.exists():
                place.chmod(mode)
            yield _with_own_token(direction, place)

    return breaks


def _with_own_token(direction: Direction, place: Path) -> Direction:
    """setup names the token's file by its path; the copy has its own."""
    if place.name == "tunnel-token":
        file = direction.folder / "conf.d" / "fault.toml"
        file.write_text(f'[connector.environment]\nTUNNEL_TOKEN_FILE = "{place}"\n')
    return direction


# --- the API and its token


def token(permissions: frozenset[str] = PERMISSIONS, **changes: Any) -> Break:
    """Another API token in place of the host's own."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        value = f"another-token-{len(clinic.cloud.store.tokens)}"
        clinic.cloud.store.add_token(value, permissions, **changes)
        with credential("cloudflare-api-token", value)(clinic) as direction:
            yield direction

    return breaks


def api(**fault: Any) -> Break:
    """The API misbehaves."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        faults = clinic.cloud.faults
        key = faults.add(ApiFault(**fault))
        try:
            yield replace(clinic.direction, deadline=HASTY)
        finally:
            faults.remove(key)

    return breaks


@contextmanager
def api_gone(clinic: Clinic) -> Iterator[Direction]:
    place = f"http://127.0.0.1:{clinic.ports['dead']}/client/v4"
    with clinic.configured(membership={"api": place}) as direction:
        yield replace(direction, deadline=HASTY)


# --- objects of the account


def changed(kind: str, name: str, **fields: Any) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        before = clinic.only(f"{kind}s", name)
        with clinic.changed(kind, before["id"], {**before, **fields}):
            yield None

    return breaks


def endpoint(**fields: Any) -> Break:
    """The endpoint of the host's pool."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        pool = clinic.only("pools", "gpu-a")
        origins = [{**pool["origins"][0], **fields}]
        with clinic.changed("pool", pool["id"], {**pool, "origins": origins}):
            yield None

    return breaks


def removed(kind: str, name: str) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        with clinic.changed(kind, clinic.only(f"{kind}s", name)["id"], None):
            yield None

    return breaks


def monitor(**fields: Any) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        (before,) = clinic.cloud.store.monitors.values()
        with clinic.changed("monitor", before["id"], {**before, **fields}):
            yield None

    return breaks


@contextmanager
def no_monitor(clinic: Clinic) -> Iterator[None]:
    pool = clinic.only("pools", "gpu-a")
    bare = {key: value for key, value in pool.items() if key != "monitor"}
    with clinic.changed("pool", pool["id"], bare):
        yield None


@contextmanager
def never_asked(clinic: Clinic) -> Iterator[None]:
    """The monitor stopped coming an hour ago."""
    clinic.order(do="monitors", paused=True)
    asked, at = clinic.run / "asked", time.time() - 3600
    # A look under way may still come in: then the file is young again.
    clinic.until("nobody asks", lambda: _stays_old(asked, at))
    try:
        yield None
    finally:
        clinic.order(do="monitors", paused=False)
        clinic.until("somebody asks", lambda: asked.stat().st_mtime > at + 60)


def _stays_old(path: Path, at: float) -> bool:
    os.utime(path, (at, at))
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        if path.stat().st_mtime > at:
            return False
        time.sleep(0.02)
    return True


def balancer(change: Callable[[Clinic], dict[str, Any]]) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        before = clinic.only("load_balancers", PUBLIC)
        with clinic.changed("load_balancer", before["id"], {**before, **change(clinic)}):
            yield None

    return breaks


def _other_pool(clinic: Clinic) -> str:
    return str(clinic.only("pools", "gpu-b")["id"])


def _own_pool(clinic: Clinic) -> str:
    return str(clinic.only("pools", "gpu-a")["id"])


@contextmanager
def zone_pending(clinic: Clinic) -> Iterator[None]:
    clinic.cloud.store.zone["status"] = "pending"
    try:
        yield None
    finally:
        del clinic.cloud.store.zone["status"]


# --- names and the edge


def ordered(wrong: dict[str, Any], right: dict[str, Any]) -> Break:
    """Orders to the edge: one that breaks, one that mends."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        clinic.order(**wrong)
        try:
            yield None
        finally:
            clinic.order(**right)

    return breaks


def says(what: str) -> Break:
    """The name server."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        with ordered({"do": "names", "say": what}, {"do": "names", "say": "answer"})(clinic):
            yield replace(clinic.direction, deadline=HASTY)

    return breaks


def directed(change: Callable[[Clinic], dict[str, Any]]) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        yield replace(clinic.direction, **change(clinic))

    return breaks


def access(**application: Any) -> Break:
    return ordered(
        {"do": "access", "hostname": HOST, **application}, {"do": "access", "hostname": HOST, "off": True}
    )


@contextmanager
def access_refuses_token(clinic: Clinic) -> Iterator[Direction]:
    with (
        access(client_id="right", client_secret="right", login=False)(clinic),
        clinic.configured() as direction,
    ):
        for name in ("access-client-id", "access-client-secret"):
            place = direction.folder / "credentials" / name
            place.touch(mode=0o600)
            place.write_text("stale\n")
        yield direction


# --- connector and ingress


@contextmanager
def connector_gone(clinic: Clinic) -> Iterator[Direction]:
    with clinic.configured(connector={"metrics": f"127.0.0.1:{clinic.ports['dead']}"}) as direction:
        yield direction


def _lost(clinic: Clinic) -> None:
    """A connector that finds no edge."""
    own = clinic.settings["connector"]["environment"]
    place = f"127.0.0.1:{clinic.ports['dead']}"
    argv = [sys.executable, "-m", "inferagent.lab.connector", "tunnel", "--edge", place]
    argv += ["--cacert", str(clinic.cloud.edge.ca_path), "--protocol", "http2", "--no-prechecks", "run"]
    clinic.spawn(argv, {**own, "TUNNEL_METRICS": f"127.0.0.1:{clinic.ports['lost']}"})
    clinic.until("the lost connector answers", lambda: listens(clinic.ports["lost"]))


@contextmanager
def connector_lost(clinic: Clinic) -> Iterator[Direction]:
    clinic.once("lost", _lost)
    with clinic.configured(connector={"metrics": f"127.0.0.1:{clinic.ports['lost']}"}) as direction:
        yield direction


@contextmanager
def port_shut(clinic: Clinic) -> Iterator[Direction]:
    """Neither TCP nor UDP gets out, so the connector is lost as well."""
    with connector_lost(clinic) as direction:
        yield replace(direction, edge=(("127.0.0.1", clinic.ports["dead"]),))


@contextmanager
def other_tunnel(clinic: Clinic) -> Iterator[Direction]:
    """At the metrics port another cloudflared answers."""
    with connector_says(clinic, "/diag/tunnel", {"tunnelID": OTHER}) as direction:
        yield direction


@contextmanager
def old_connector(clinic: Clinic) -> Iterator[Direction]:
    text = 'build_info{goversion="",version="2024.1.5"} 1\n'
    with connector_says(clinic, "/metrics", text) as direction:
        yield direction


@contextmanager
def connector_says(clinic: Clinic, path: str, answer: object) -> Iterator[Direction]:
    """The connector as it is, but for the answer to one path."""
    port = clinic.once("mask", _mask)
    clinic.lazy["masked"] = {path: answer}
    with clinic.configured(connector={"metrics": f"127.0.0.1:{port}"}) as direction:
        yield direction


def _mask(clinic: Clinic) -> int:
    """Hands every other question on to the real one."""
    real = f"http://127.0.0.1:{clinic.ports['metrics']}"

    async def answer(request: web.Request) -> web.Response:
        import aiohttp

        said = clinic.lazy["masked"].get(request.path)
        if said is not None:
            return web.Response(text=said if isinstance(said, str) else json.dumps(said))
        async with aiohttp.ClientSession() as session, session.get(real + request.path) as other:
            return web.Response(text=await other.text(), status=other.status)

    async def start() -> int:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        clinic.runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    return clinic.do(start())


@contextmanager
def updates_itself(clinic: Clinic) -> Iterator[Direction]:
    own = {**clinic.settings["connector"]["environment"], "NO_AUTOUPDATE": "false"}
    with clinic.configured(connector={"environment": own}) as direction:
        yield direction


def ingress(change: Callable[[list[dict[str, Any]], Clinic], list[dict[str, Any]]]) -> Break:
    """Another configuration of the tunnel, pushed to the connector as the dashboard would."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        store = clinic.cloud.store
        ((tunnel, before),) = store.tunnel_configurations.items()
        rules = change([dict(rule) for rule in before["config"]["ingress"]], clinic)
        _push(clinic, tunnel, rules)
        try:
            yield None
        finally:
            _push(clinic, tunnel, before["config"]["ingress"])

    return breaks


def _push(clinic: Clinic, tunnel: str, rules: list[dict[str, Any]]) -> None:
    async def push() -> int:
        store = clinic.cloud.store
        version = store.tunnel_configurations[tunnel]["version"] + 1
        store.put("tunnel_configuration", tunnel, {"version": version, "config": {"ingress": rules}})
        return version

    version = clinic.do(push())
    connections = clinic.cloud.edge.tunnels
    clinic.until("the push is answered", lambda: _answered(connections.as_json()[tunnel], version))


def _answered(connections: list[dict[str, Any]], version: int) -> bool:
    """Taken by all, or refused by all."""
    answers = [connection["config_answer"] or {} for connection in connections]
    return all(a.get("lastAppliedVersion") == version or a.get("err") for a in answers)


def _swapped(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
    return [rules[1], rules[0], *rules[2:]]


def _catch_all(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
    return rules[-1:]


def _no_ready(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
    return rules[1:]


def _other_port(rules: list[dict[str, Any]], clinic: Clinic) -> list[dict[str, Any]]:
    return [rules[0], {**rules[1], "service": f"http://127.0.0.1:{clinic.ports['dead']}"}, *rules[2:]]


def _trailing_slash(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
    return [rules[0], {**rules[1], "service": rules[1]["service"] + "/x"}, *rules[2:]]


def _guarded(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
    assert rules[0]["path"] == READY_PATH
    return [{**rules[0], "originRequest": {"access": {"required": True, "teamName": "lab"}}}, *rules[1:]]


# --- engine and model


def engine(**changes: Any) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        with clinic.configured(engine=clinic.engine(**changes)) as direction:
            yield direction

    return breaks


@contextmanager
def engine_gone(clinic: Clinic) -> Iterator[Direction]:
    url = f"http://127.0.0.1:{clinic.ports['dead']}"
    with routed_to(clinic, url), engine(url=url)(clinic) as direction:
        yield direction


@contextmanager
def model_missing(clinic: Clinic) -> Iterator[Direction]:
    """The whole fleet promises one more model, and this host has it not."""
    both = changed("pool", "gpu-b", description=describe(Promise("feed" * 4, ("chat", "code"))))
    promised = {"chat": "chat", "code": "Qwen/Qwen3-Coder"}
    with both(clinic), engine(serves=promised)(clinic) as direction:
        yield direction


@contextmanager
def engine_hung(clinic: Clinic) -> Iterator[Direction]:
    """Its API answers, its worker stands still."""
    worker = [process.pid for process in below(clinic.children[0].pid)][-1]
    os.kill(worker, signal.SIGSTOP)
    try:
        yield replace(clinic.direction, deadline=HASTY)
    finally:
        os.kill(worker, signal.SIGCONT)


def _everywhere(clinic: Clinic) -> None:
    port = clinic.ports["open"]
    argv = launch.vllm(port, "chat")
    argv[argv.index("127.0.0.1")] = "0.0.0.0"
    clinic.spawn(argv, QUICK)
    clinic.until("the open engine listens", lambda: listens(port))


@contextmanager
def engine_open(clinic: Clinic) -> Iterator[Direction]:
    clinic.once("open", _everywhere)
    port = clinic.ports["open"]
    with (
        routed_to(clinic, f"http://127.0.0.1:{port}"),
        engine(url=f"http://127.0.0.1:{port}")(clinic) as found,
    ):
        yield found


@contextmanager
def routed_to(clinic: Clinic, service: str, **options: Any) -> Iterator[None]:
    """The tunnel leads to another engine of this host."""

    def change(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
        return [rules[0], {**rules[1], "service": service, **options}, *rules[2:]]

    with ingress(change)(clinic):
        yield


def _ollama(clinic: Clinic) -> None:
    port = clinic.ports["ollama"]
    own = launch.ollama_environment(port, clinic.folder / "models")
    clinic.spawn(launch.ollama("serve"), {**QUICK, **own, "LAB_MODELS": "chat", "LAB_VRAM_SHARE": "0.4"})
    clinic.until("Ollama listens", lambda: listens(port))


@contextmanager
def ollama(clinic: Clinic, **options: Any) -> Iterator[Direction]:
    clinic.once("ollama", _ollama)
    url = f"http://127.0.0.1:{clinic.ports['ollama']}"
    changes = {"kind": "ollama", "url": url, "gpus": []}
    with routed_to(clinic, url, **options), engine(**changes)(clinic) as found:
        yield found


@contextmanager
def ollama_on_cpu(clinic: Clinic) -> Iterator[Direction]:
    clinic.once("ollama", _ollama)
    url = f"http://127.0.0.1:{clinic.ports['ollama']}"
    local = {"originRequest": {"httpHostHeader": "localhost"}}
    with routed_to(clinic, url, **local), engine(kind="ollama", url=url)(clinic) as found:
        yield found


# --- GPUs, host, agent


def gpus(**changes: Any) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        clinic.report_gpus(**changes)
        try:
            yield None
        finally:
            clinic.report_gpus()

    return breaks


XID = KernelFault(
    "0000:01:00", "lost", "fell off the bus", "reboot", "XID 79", 1.0, "12:03:11", 1.0, "12:03:11", 7, 0
)


def status(**changes: Any) -> Break:
    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[None]:
        before = dict(clinic.status)
        clinic.status.update(changes)
        try:
            yield None
        finally:
            clinic.status.clear()
            clinic.status.update(before)

    return breaks


@contextmanager
def agent_gone(clinic: Clinic) -> Iterator[None]:
    place, aside = clinic.run / "control.sock", clinic.run / "control.aside"
    place.rename(aside)
    try:
        yield None
    finally:
        aside.rename(place)


@contextmanager
def ready_taken(clinic: Clinic) -> Iterator[Direction]:
    """Another program has the port of the ready URL, and the tunnel leads there."""
    port = clinic.once("mask", _mask)
    clinic.lazy["masked"] = {"/.inferagent/ready": "hello"}

    def change(rules: list[dict[str, Any]], _clinic: Clinic) -> list[dict[str, Any]]:
        return [{**rules[0], "service": f"http://127.0.0.1:{port}"}, *rules[1:]]

    with ingress(change)(clinic), clinic.configured(ready={"port": port}) as direction:
        yield direction


def clock_of_the_edge(ahead: float) -> Break:
    return ordered({"do": "clock", "ahead": ahead}, {"do": "clock", "ahead": 0})


@contextmanager
def rooted(clinic: Clinic) -> Iterator[Path]:
    """Another root folder beside the usual one."""
    root = clinic.folder / f"root-{time.monotonic_ns()}"
    (root / "etc").mkdir(parents=True)
    (root / "etc/machine-id").write_text((clinic.root / "etc/machine-id").read_text())
    (root / "proc").symlink_to("/proc")
    yield root


def units(**states: dict[str, str]) -> Break:
    """systemd runs the host, and its systemctl tells of these units; of the others that they are well."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        with rooted(clinic) as root, clinic.configured() as direction:
            (root / "run/systemd/system").mkdir(parents=True)
            program = root / "systemctl"
            program.write_text(SYSTEMCTL.format(states=states, python=sys.executable))
            program.chmod(0o755)
            yield replace(direction, root=root, systemctl=str(program))

    return breaks


SYSTEMCTL = """#!{python}
import sys
WELL = {{"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "Restart": "always"}}
STATES = {states!r}
units = sys.argv[sys.argv.index("--") + 1:]
blocks = []
for unit in units:
    state = dict(WELL) if unit != "cloudflared-update.timer" else {{"LoadState": "not-found"}}
    state |= STATES.get(unit.split(".")[0].replace("-", "_"), {{}})
    blocks.append("\\n".join([f"Id={{unit}}", *(f"{{k}}={{v}}" for k, v in state.items())]))
print("\\n\\n".join(blocks))
"""


def google(**values: str) -> Break:
    """A VM of Google's cloud, whose metadata server says this."""

    @contextmanager
    def breaks(clinic: Clinic) -> Iterator[Direction]:
        port = clinic.once("mask", _mask)
        base = "/computeMetadata/v1/instance/"
        usual = {"scheduling/preemptible": "FALSE", "scheduling/automatic-restart": "TRUE", "tags": "[]"}
        usual["attributes/created-by"] = "projects/1/zones/z/instances/x"
        said = {**usual, **{key.replace("__", "/").replace("_", "-"): value for key, value in values.items()}}
        clinic.lazy["masked"] = {base + key: value for key, value in said.items()}
        with rooted(clinic) as root:
            place = root / "sys/class/dmi/id"
            place.mkdir(parents=True)
            (place / "product_name").write_text("Google Compute Engine\n")
            environ = {"GCE_METADATA_HOST": f"127.0.0.1:{port}"}
            yield replace(clinic.direction, root=root, environ=environ)

    return breaks
