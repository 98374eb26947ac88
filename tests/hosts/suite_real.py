"""Real cloudflared and a real engine as units of their own on a booted host, and the agent beside them.

Setup takes both over; then a drain under traffic, engine and connector killed, the agent restarted.
Only the account and the edge are stand-ins. Ollama has to be there; with --full vLLM is played as well.
"""

import json
import signal
import time

from tests.hosts import real_units
from tests.hosts.base import NoHostsError
from tests.hosts.host import Host, until
from tests.hosts.real_units import CONNECTOR, METRICS, TOKEN_FILE, Engine
from tests.hosts.stage import AGENT, SAID, SETTINGS, TOKEN, Stage, explain, stage, status
from tests.hosts.suite import full, say
from tests.hosts.users import Users
from tests.real.programs import KINDS, environment, find, version

from inferagent.adapters.pids import Identity, alive, identify
from inferagent.lab.processes import below

READY = "inferagent-ready.service"
RATE = 4.0  # requests a second
CALM, CACHE = 4.0, 0.5  # seconds of traffic around a deed; for which the edge keeps a resolved name
SLACK = 1.0  # seconds from the write until the edge has it
DEED = 60.0  # seconds


def suite() -> None:
    named = _programs()
    say(SAID)
    with stage() as scene:
        other = scene.add()
        scene.serve(other)
        for make in (real_units.ollama, real_units.vllm):
            if make is real_units.vllm and not (full() and "INFERAGENT_VLLM" in named):
                continue
            engine = make(named)
            host = scene.boot(*real_units.binds(engine, named["INFERAGENT_CLOUDFLARED"]))
            _told(scene, host, engine)
            host.power_off()
            say(f"{engine.kind}: all of it")


def _programs() -> dict[str, str]:
    """Where they are. NoHostsError where the suite cannot do without one."""
    named = environment(("ollama", "cloudflared", "vllm"))
    for name in ("cloudflared", "ollama", *(["vllm"] if full() else [])):
        program = find(KINDS[name]) if KINDS[name].variable in named else None
        say(f"{KINDS[name].title} {version(program) if program else '– SKIPPED: cannot be had'}")
    lacks = [KINDS[name].title for name in ("cloudflared", "ollama") if KINDS[name].variable not in named]
    if lacks:
        raise NoHostsError(f"{' and '.join(lacks)} cannot be had; INFERAGENT_… names a program")
    return named


def _told(scene: Stage, host: Host, engine: Engine) -> None:
    real_units.install(host, engine)
    _set_up(scene, host, engine)
    _drained(scene, host, engine)
    _killed(scene, host, engine, engine.unit, "engine-gone")
    _killed(scene, host, engine, CONNECTOR, "connector-gone")
    _restarted(scene, host, engine)


def _set_up(scene: Stage, host: Host, engine: Engine) -> None:
    """As a person does who has both already: setup, the tunnel's token to cloudflared, then the agent."""
    begun = time.monotonic()
    host.run("inferagent", *_setup(scene, host, engine))
    host.run("install", "-D", "-m", "600", "/etc/inferagent/credentials/tunnel-token", TOKEN_FILE)
    host.run("systemctl", "enable", "--now", CONNECTOR, AGENT)
    scene.until_serving(host, engine.back)
    say(f"{engine.kind}: set up, serves after {time.monotonic() - begun:.1f} s")


def _setup(scene: Stage, host: Host, engine: Engine) -> list[str]:
    pairs = {
        "--host": host.name,
        "--public": scene.public_host,
        "--api": scene.info["api"],
        "--api-token-file": TOKEN,
        "--weight": "50",
        "--monitor-interval": "5",
        "--engine": engine.kind,
        "--engine-url": engine.url,
        "--engine-unit": engine.unit,
        "--serves": "chat=chat",
        "--connector-unit": CONNECTOR,
        "--metrics": METRICS,
    }
    words = [word for pair in pairs.items() for word in pair]
    for key, setting in SETTINGS.items():
        words += ["--set", f"{key}={setting}"]
    return ["setup", *words, "--yes"]


def _drained(scene: Stage, host: Host, engine: Engine) -> None:
    """The engine is stopped at its end, by the verb of root: SIGTERM would cut what still ran."""
    with _users(scene) as users:
        time.sleep(CALM)
        begun = time.monotonic()
        host.run("inferagent", "drain", "--wait", "--stop-engine", "--reason", "suite", "--limit", "60s")
        took = time.monotonic() - begun
        until(lambda: not host.main_pid(engine.unit), "the engine is stopped", DEED)
        time.sleep(CALM)
        host.run("inferagent", "resume")
        scene.until_serving(host, engine.back)
        time.sleep(CALM)
    say(
        f"{engine.kind}: drained in {took:.1f} s; {_counted(users)} from before it until after the return, "
        f"{users.hosts['']} by this host"
    )
    assert users.hosts[""], "the real engine answered nobody"
    assert not users.failed, f"{_counted(users)}: {explain(host)}"


def _killed(scene: Stage, host: Host, engine: Engine, unit: str, code: str) -> None:
    """kill -9 of the main process: out for the right reason, nobody left over, back by itself."""
    pid = host.main_pid(unit)
    family = _family(host.outside(pid))
    with _users(scene) as users:
        time.sleep(CALM)
        writes, begun, struck = len(scene.writes()), time.time(), time.monotonic()
        host.kill(pid, signal.SIGKILL)
        out = until(lambda: _disabled(scene, host, writes), f"{unit}: a write that disables", 30.0, 0.05)
        until(lambda: host.main_pid(unit) not in (0, pid), f"{unit} is started again", DEED)
        left = [who for who in family if alive(who)]
        scene.until_serving(host, engine.back)
        back = time.monotonic() - struck
        time.sleep(CALM)
    edge = struck + (out - begun) + SLACK + CACHE
    late = [one.cause for one in users.traffic.outcomes if one.cause and one.start > edge]
    said = _last_word(host)
    say(
        f"{engine.kind}: {unit} killed, {len(family)} processes: written after {out - begun:.3f} s, "
        f"{said}, serves again after {back:.1f} s; {_counted(users)}, {len(late)} begun after it was out"
    )
    assert said == code, f"events say {said} is the root cause: {explain(host)}"
    assert not left, f"{len(left)} processes of the earlier life of {unit} live on: {left}"
    assert not late, f"failed after the host was out: {late}"


def _family(main: int) -> list[Identity]:
    found = [identify(pid) for pid in (main, *(one.pid for one in below(main)))]
    return [who for who in found if who is not None]


def _disabled(scene: Stage, host: Host, since: int) -> float:
    """When the account took the write, 0.0 until then."""
    pool = scene.pool(host)["id"]
    ours = [one for one in scene.writes()[since:] if one["path"].endswith(pool)]
    return next((float(one["time"]) for one in ours if one["body"].get("enabled") is False), 0.0)


def _last_word(host: Host) -> str:
    """The root cause of the last event that says that the host leaves."""
    lines = host.run("inferagent", "events", "--json", "-n", "200").splitlines()
    events = [json.loads(line) for line in lines]
    leaving = [one for one in events if one["kind"] == "action" and one["text"].startswith("disable")]
    return str(leaving[-1].get("cause", "")) if leaving else "nothing"


def _restarted(scene: Stage, host: Host, engine: Engine) -> None:
    """Nothing is touched: no write, no other process, no failed request."""
    names = (engine.unit, CONNECTOR, READY)
    before, writes = {name: host.main_pid(name) for name in names}, len(scene.writes())
    agent = host.main_pid(AGENT)
    assert all(before.values()), f"not all runs: {before}"
    with _users(scene) as users:
        time.sleep(CALM)
        host.run("systemctl", "restart", AGENT)
        until(lambda: status(host).get("phase") == "serving", "the agent goes on", DEED, 0.1)
        time.sleep(CALM)
    after, written = {name: host.main_pid(name) for name in names}, scene.writes()[writes:]
    say(f"{engine.kind}: agent restarted; {_counted(users)}, {len(written)} writes of membership")
    assert host.main_pid(AGENT) not in (0, agent), "the agent was not restarted"
    assert after == before, f"{before} became {after}"
    assert not written, f"membership was written: {written}"
    assert not users.failed, _counted(users)


def _counted(users: Users) -> str:
    return f"{sum(users.failed.values())} of {users.sent} requests failed {users.failed or ''}".strip()


def _users(scene: Stage) -> Users:
    return Users(scene.public_host, RATE, exact=False)
