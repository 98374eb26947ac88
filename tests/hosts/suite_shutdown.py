"""A host that is shut down in order leaves the pool first: no user notices where another endpoint exists.

Once with the units that come with inferagent, once with units of other names, which only the targets know.
"""

import json
import time

from tests.hosts.host import Host
from tests.hosts.stage import AGENT, SAID, UNITS, Stage, explain, stage
from tests.hosts.suite import say
from tests.hosts.users import Users

RATE = 8.0  # requests a second
BEFORE, AFTER = 5.0, 5.0  # seconds of traffic around it
BUDGET = 25.0  # [drain] shutdown
OTHERS = ("my-model.service", "my-tunnel.service", AGENT)
WANTED_BY = ("default.target", "multi-user.target")  # the first is what Ollama's own unit asks for
COPY = "/etc/parts"  # the configuration that the units of other names run by
CONFIG = "/etc/inferagent/config.toml"


def suite() -> None:
    say(SAID)
    with stage() as scene:
        going, staying = scene.add(), scene.add()
        for host in (going, staying):
            host.run("systemctl", "enable", *UNITS, "inferagent-ready.socket")
            scene.serve(host)
        _goes(scene, going, UNITS)
        _renamed(going)
        scene.until_serving(going)
        _goes(scene, going, OTHERS)


def _goes(scene: Stage, going: Host, units: tuple[str, ...]) -> None:
    with Users(scene.public_host, RATE) as users:
        time.sleep(BEFORE)
        took = going.power_off()
        time.sleep(AFTER)
    say(f"{units[0]}: shut down in {took:.1f} s: {users.failed or 0} of {users.sent} requests failed")
    going.boot()
    last = ("-o", "cat", "-b", "-1", "-t", "inferagent-drain", "-n", "1")
    drained = going.run("journalctl", *last).strip()
    say(f"the drain before it: {drained}")
    assert drained.startswith("out after"), "it did not leave first"
    waited = {unit: _stopping(going, unit) - _drained(going) for unit in units}
    say("told to stop after the drain: " + ", ".join(f"{unit} {late:.3f} s" for unit, late in waited.items()))
    assert min(waited.values()) > 0.0, f"stopped beside the drain: {waited}"
    assert not users.failed, f"{users.failed} of {users.sent} failed: {explain(going)}"
    assert took <= BUDGET + 5.0, f"the host took {took:.1f} s to go"
    begun = time.monotonic()
    scene.until_serving(going)
    say(f"serves again {time.monotonic() - begun:.1f} s after the boot, by itself")


def _drained(host: Host) -> float:
    """When the drain had ended; of the boot before, in seconds of its own clock."""
    return _when(host, "-t", "inferagent-drain", "--grep=^out after")


def _stopping(host: Host, unit: str) -> float:
    return _when(host, "_PID=1", f"UNIT={unit}", "--grep=^Stopping ")


def _when(host: Host, *matches: str) -> float:
    line = host.run("journalctl", "-b", "-1", "-o", "json", "-n", "1", *matches)
    return int(json.loads(line)["__MONOTONIC_TIMESTAMP"]) / 1e6


def _renamed(host: Host) -> None:
    """Engine and connector go on as units of a person's own, with nothing that orders them by name."""
    host.run("cp", "-a", "/etc/inferagent", COPY)
    host.run("systemctl", "disable", "--now", *UNITS[:2])
    for part, old, new, target in zip(("engine", "connector"), UNITS, OTHERS, WANTED_BY, strict=False):
        lines = host.path(f"/usr/lib/systemd/system/{old}").read_text().splitlines()
        kept = [
            line for line in lines if not line.startswith(("After=", "Wants=", "WantedBy=", "ExecStartPre="))
        ]
        text = "\n".join(kept).replace(f"unit_exec {part}", f"unit_exec {part} --config {COPY}")
        host.write(f"/etc/systemd/system/{new}", f"{text}\nWantedBy={target}\n")
    text = host.path(CONFIG).read_text().replace(UNITS[0], OTHERS[0]).replace(UNITS[1], OTHERS[1])
    kept = [line for line in text.splitlines() if not line.startswith(("command ", "environment "))]
    host.write(CONFIG, "\n".join(kept) + "\n", host.path(CONFIG).stat().st_mode & 0o777)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--now", *OTHERS[:2])
    host.run("systemctl", "restart", AGENT)
