"""The agent stopped, stalled by SIGSTOP, and crashing again and again under traffic: nothing else changes."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.hosts.host import Host, until
from tests.hosts.stage import AGENT, SAID, Stage, pids, stage
from tests.hosts.suite import full, say
from tests.hosts.users import Users

RATE = 5.0  # requests a second
CALM = 4.0  # seconds of traffic around a reload
LOOK = 0.25  # seconds between two looks at the edge
WATCHDOG = 30.0  # seconds, of the unit
LATEST = 45.0


def suite() -> None:
    say(SAID)
    with stage() as scene:
        host, other = scene.add(), scene.add()  # without another one, the edge would not leave it in any case
        for each in (other, host):
            scene.serve(each)
        with _untouched(scene, host, "reloaded"):
            _reloaded(scene, host)
        with _untouched(scene, host, "stopped"):
            _stopped(scene, host, 60.0 if full() else 15.0)
        with _untouched(scene, host, "SIGSTOP"):
            _stalled(scene, host)
        with _untouched(scene, host, "crashing"):
            _crashing(scene, host, 600.0 if full() else 45.0)


class Routes:
    """Looks all the while whether the edge sends users to this host: by the ready URL it might leave, too."""

    def __init__(self, scene: Stage, host: Host) -> None:
        self._scene, self._host = scene, host
        self.looks = self.left = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Routes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(LOOK):
            self.looks += 1
            self.left += not self._scene.routes_to(self._host)


@contextmanager
def _untouched(scene: Stage, host: Host, what: str) -> Iterator[None]:
    """Users are served all the while; no write, no other pid, and the host serves as before."""
    before, writes = pids(host), len(scene.writes())
    assert all(before.values()), f"not all runs: {before}"
    with Users(scene.public_host, RATE) as users, Routes(scene, host) as routes:
        yield
    after, written = pids(host), scene.writes()[writes:]
    served = f"{users.sent} requests ({users.hosts[host.name]} by this host)"
    say(f"{what}: {users.failed or 0} of {served} failed, {len(written)} writes of membership")
    assert users.sent > 0, "no request was sent"
    assert not users.failed, f"{what}: {users.failed} of {users.sent} failed"
    assert not written, f"{what}: membership was written: {written}"
    assert after == before, f"{what}: {before} became {after}"
    assert routes.looks > 0, "nobody looked at the edge"
    assert not routes.left, f"{what}: the edge had left the host in {routes.left} of {routes.looks} looks"
    assert users.hosts[host.name], f"{what}: the host answered nobody"


def _reloaded(scene: Stage, host: Host) -> None:
    pid = host.main_pid(AGENT)
    time.sleep(CALM)
    host.run("systemctl", "reload", AGENT)
    time.sleep(CALM)
    assert host.main_pid(AGENT) == pid, "a reload started another agent"
    scene.until_serving(host)


def _stopped(scene: Stage, host: Host, seconds: float) -> None:
    begun = time.monotonic()
    host.run("systemctl", "stop", AGENT)
    say(f"stopped: systemctl stop took {time.monotonic() - begun:.2f} s")
    time.sleep(seconds)
    host.run("systemctl", "start", AGENT)
    scene.until_serving(host)


def _stalled(scene: Stage, host: Host) -> None:
    pid = host.main_pid(AGENT)
    host.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    until(lambda: host.main_pid(AGENT) not in (0, pid), "the watchdog brings another agent", LATEST, 0.2)
    took = time.monotonic() - begun
    scene.until_serving(host)
    say(f"SIGSTOP: another agent after {took:.1f} s, WatchdogSec={WATCHDOG:.0f}")
    assert took <= WATCHDOG + 8.0, "the watchdog came late"


def _crashing(scene: Stage, host: Host, seconds: float) -> None:
    chance, end, crashes = random.Random(10), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        pid = until(lambda: host.main_pid(AGENT), "systemd brings another agent", 10.0, 0.05)
        time.sleep(chance.uniform(0.0, 3.0))
        host.kill(pid, signal.SIGKILL)
        crashes += 1
        until(lambda gone=pid: host.main_pid(AGENT) != gone, "the agent is gone")
    scene.until_serving(host)
    restarts = int(host.show(AGENT, "NRestarts")["NRestarts"])
    say(f"crashing: {crashes} kills in {seconds:.0f} s, {restarts} restarts by systemd in all")
    assert crashes >= seconds / 6, "too few crashes to be a loop"
