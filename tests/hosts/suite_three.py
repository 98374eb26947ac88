"""Three hosts with the package: one is upgraded, one partitioned, one powered off, while users ask."""

import time
from collections.abc import Callable

from tests.hosts.host import Host, pause, until
from tests.hosts.stage import AGENT, SAID, UNITS, Stage, explain, stage, status
from tests.hosts.store import Store, served, subscribe
from tests.hosts.suite import say
from tests.hosts.suite_packages import INSTALL, change_ready, crash, upgrade
from tests.hosts.users import Users

RATE = 8.0  # requests a second
BEFORE, AFTER = 4.0, 6.0  # seconds of traffic around each deed
CRASHES = 12.0  # seconds for which a release that crashes is let run
# What was in flight, and what came until the edge's monitor (every second here, two in a row) had seen it.
PARTITION_LOSES = 10.0  # seconds of the third of all requests
STATE = "/var/lib/inferagent"


def suite() -> None:
    say(SAID)
    with stage(bare=True) as scene:
        store = Store(scene.lab.folder / "store")
        store.folder.mkdir()
        store.build()
        with served(store.repo):
            hosts = [_installed(scene, store) for _ in range(3)]
            for host in hosts:
                scene.serve(host)
                host.run("systemctl", "enable", "--quiet", *UNITS)
            _upgrades(scene, hosts[0], store)
            _partitioned(scene, hosts[1])
            _powered_off(scene, hosts[2])


def _installed(scene: Stage, store: Store) -> Host:
    host = scene.boot()
    subscribe(host, store)
    host.run(*INSTALL)
    scene.provision(host)
    return host


def _upgrades(scene: Stage, host: Host, store: Store) -> None:
    """No request, no membership, no other unit and no saved state is lost, whatever the release is worth."""
    store.release("0.1.0-2", change_ready)
    _untouched(scene, host, "upgrade", lambda: upgrade(host))
    _untouched(scene, host, "downgrade", lambda: upgrade(host, "inferagent=0.1.0-1", "--allow-downgrades"))
    store.release("0.1.0-3", crash)
    _untouched(scene, host, "upgrade to a release that crashes, and back", lambda: _crashes(host))


def _crashes(host: Host) -> None:
    upgrade(host)
    pause(CRASHES)
    assert status(host) == {}, "a release that crashes at its start answers"
    upgrade(host, "inferagent=0.1.0-1", "--allow-downgrades")


def _untouched(scene: Stage, host: Host, name: str, deed: Callable[[], None]) -> None:
    writes, lives, agent = len(scene.writes()), _lives(host), host.main_pid(AGENT)
    with Users(scene.public_host, RATE) as users:
        pause(BEFORE)
        deed()
        scene.until_serving(host)
        pause(AFTER)
    assert not users.failed, f"{name}: {users.failed} of {users.sent} failed: {explain(host)}"
    assert _lives(host) == lives, f"{name}: engine or connector has another life"
    assert host.main_pid(AGENT) not in (0, agent), f"{name}: the agent was not restarted"
    assert len(scene.writes()) == writes, f"{name}: {scene.writes()[writes:]}"
    assert host.path(f"{STATE}/state.json").exists(), f"{name}: the saved state is gone"
    say(f"{name}: 0 of {users.sent} requests failed, no write of membership, engine and connector untouched")


def _lives(host: Host) -> dict[str, int]:
    return {unit: host.main_pid(unit) for unit in UNITS[:2]}


def _partitioned(scene: Stage, host: Host) -> None:
    """Nobody can drain what nobody can reach: what is lost ends with the monitor's judgement."""
    with Users(scene.public_host, RATE) as users:
        pause(BEFORE)
        begun = time.monotonic()
        scene.lab.switch.plug(host.number, in_=False)
        until(lambda: not scene.routes_to(host), "the edge leaves the host that is cut off", 60.0, 0.1)
        gone = time.monotonic() - begun
        pause(AFTER)
        scene.lab.switch.plug(host.number, in_=True)
        scene.until_serving(host, 120.0)
        pause(AFTER)
    lost = sum(users.failed.values())
    say(f"partitioned: left by the edge after {gone:.1f} s, {lost} of {users.sent} failed")
    assert lost <= RATE * PARTITION_LOSES, users.failed
    assert users.hosts[host.name], "the host that came back served nobody"


def _powered_off(scene: Stage, host: Host) -> None:
    with Users(scene.public_host, RATE) as users:
        pause(BEFORE)
        took = host.power_off()
        pause(AFTER)
    assert not users.failed, f"{users.failed} of {users.sent} failed"
    say(f"powered off in {took:.1f} s: 0 of {users.sent} requests failed")
    host.boot()
    scene.until_serving(host)
