"""What only a kernel of its own can do to a host: engine out of memory, network slow and lossy."""

import re
import time

from tests.hosts.host import Host, pause, until
from tests.hosts.powercut import ENGINE
from tests.hosts.stage import Stage, explain
from tests.hosts.suite import full, say
from tests.hosts.uml import Machine, beside
from tests.hosts.users import Users

RATE = 3.0  # requests a second
LIMIT = "MemoryMax=8M"  # far less than any engine has: the kernel ends it
NETEM = ("delay", "300ms", "50ms", "loss", "5%")


def suite() -> None:
    with beside() as (scene, stays, host):
        scene.serve(host, 120.0)
        _out_of_memory(scene, host, stays)
        _bad_network(scene, host, 120.0 if full() else 40.0)


def _out_of_memory(scene: Stage, host: Machine, stays: Host) -> None:
    """The cause of death is named, the host leaves and comes back; who stays serves meanwhile."""
    writes = len(scene.writes())
    _limit(host, LIMIT)
    try:
        told = until(lambda: _told_of(host, "out of memory"), "the cause is named", 30.0, 0.05)
    except AssertionError as missed:
        raise AssertionError(f"{missed}: {explain(host)}") from None
    _limit(host, "MemoryMax=infinity")
    said = host.run("journalctl", "--no-pager", "-o", "cat", "-u", ENGINE, "_PID=1", "--grep=oom-kill")
    assert "oom-kill" in said, said
    until(lambda: _bodies(scene, writes)[:1] == [False], "a write that disables", 30.0, 0.05)
    assert scene.routes_to(stays), "the host that stays is not in"
    scene.until_serving(host, 120.0)
    assert _bodies(scene, writes) == [False, True], _bodies(scene, writes)
    say(f"out of memory: {said.strip().splitlines()[-1]!r}; status: {told!r}; serves again")


def _limit(host: Machine, limit: str) -> None:
    host.run("systemctl", "set-property", "--runtime", ENGINE, limit)


def _told_of(host: Machine, words: str) -> str:
    told = host.told()
    return str(told["sentence"]) if words in told.get("root_cause", "") else ""


def _bodies(scene: Stage, since: int) -> list[bool]:
    return [bool(write["body"]["enabled"]) for write in scene.writes()[since:]]


def _bad_network(scene: Stage, host: Machine, seconds: float) -> None:
    """What is slow and lossy is unknown at times, and never ill: no write, no other phase."""
    writes = len(scene.writes())
    host.run("tc", "qdisc", "add", "dev", "vec0", "root", "netem", *NETEM)
    with Users(scene.public_host, RATE) as users:
        phases = _phases(host, seconds)
    counted = host.run("tc", "-s", "qdisc", "show", "dev", "vec0")
    host.run("tc", "qdisc", "del", "dev", "vec0", "root")
    pause(2.0)
    scene.until_serving(host)
    failed = f"{users.failed or 0} of {users.sent} requests ({users.hosts[host.name]} by this host) failed"
    say(f"netem {' '.join(NETEM)} for {seconds:.0f} s: phases {sorted(phases)}, {failed}")
    assert re.search(r"dropped [1-9]", counted), f"netem lost nothing: {counted}"
    assert len(scene.writes()) == writes, scene.writes()[writes:]
    assert phases == {"serving"}, phases
    assert users.sent > 0, "no request was sent"
    assert users.hosts[host.name], "the host answered nobody"


def _phases(host: Machine, seconds: float) -> set[str]:
    """Those told within so many seconds; "silent" where nobody answered."""
    found, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        found.add(str(host.told().get("phase", "silent")))
        pause(0.5)
    return found
