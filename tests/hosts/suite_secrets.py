"""After a full run no secret stands anywhere but in the credentials; the journal says each change once."""

import itertools
import json
import signal
from pathlib import Path

from tests.hosts.host import Host, pause, until
from tests.hosts.stage import AGENT, TOKEN, UNITS, Stage, stage, status
from tests.hosts.suite import full, say

CREDENTIALS = "/etc/inferagent/credentials"
# Read by root in the host: what a process was given, what was written, what was logged.
PLACES = """
{
for each in /proc/[0-9]*; do cat "$each/cmdline" "$each/environ" 2>/dev/null; echo; done
journalctl --no-pager -o export -a
find /run/inferagent /var/lib/inferagent /var/log /tmp /var/tmp /etc/systemd /usr/lib/systemd/system /root \
    -type f -exec cat {} + 2>/dev/null
find /etc/inferagent -type f -not -path '*/credentials/*' -not -name lab-api-token -exec cat {} +
inferagent status --json; inferagent events --json; inferagent config show
inferagent diag --output /tmp/bundle.tar.gz >&2 && tar -xOzf /tmp/bundle.tar.gz
} | LC_ALL=C tr -c '[:print:]\\n' ' '
"""
QUIET, QUIET_FULL = 20.0, 120.0  # seconds without a change
FIELDS = ("INFERAGENT_PHASE", "INFERAGENT_CAUSE", "INFERAGENT_FINDING")


def suite() -> None:
    with stage() as scene:
        host, other = scene.add(), scene.add()
        for each in (other, host):
            scene.serve(each)
        _lives(scene, host)
        _no_secret(host)
        _tells_changes(host)
        _is_quiet(host)


def _lives(scene: Stage, host: Host) -> None:
    """Everything that handles a secret has had its turn, crashes included."""
    host.kill(host.main_pid(UNITS[0]), signal.SIGKILL)
    until(lambda: status(host).get("phase") != "serving", "the fault is seen", 30.0)
    scene.until_serving(host)
    host.kill(host.main_pid(AGENT), signal.SIGABRT)  # faulthandler tells where it stood
    until(lambda: status(host).get("phase") == "serving", "the next agent serves", 60.0, 0.2)
    host.kill(host.main_pid(UNITS[1]), signal.SIGKILL)
    until(lambda: status(host).get("phase") != "serving", "the connector's death is seen", 30.0)
    scene.until_serving(host)
    host.run("inferagent", "drain", "--reason", "for the search")
    until(lambda: status(host).get("phase") == "out", "out", 60.0, 0.2)
    host.try_run("inferagent", "doctor")
    host.run("inferagent", "resume")
    scene.until_serving(host)


def _no_secret(host: Host) -> None:
    secrets = {
        path.name: path.read_text().strip()
        for path in [*host.path(CREDENTIALS).iterdir(), host.path(TOKEN)]
        if path.is_file()
    }
    assert secrets.keys() >= {"tunnel-token", "cloudflare-api-token", Path(TOKEN).name}, list(secrets)
    said = host.run("sh", "-c", PLACES)
    assert "tunnel" in said, "the search found nothing at all"
    assert len(said) > 100_000, "the search found next to nothing"
    found = [name for name, secret in secrets.items() if secret and secret in said]
    assert not found, f"{', '.join(found)} can be read outside the credentials"
    say(f"{len(secrets)} secrets in none of {len(said):,} characters of processes, logs, files and bundle")


def _tells_changes(host: Host) -> None:
    lines = [json.loads(line) for line in _journal(host)]
    ours = [line for line in lines if "INFERAGENT_PHASE" in line]
    assert ours, "no line of the journal has a phase"
    seen = {name: {str(line[name]) for line in ours if name in line} for name in FIELDS}
    assert {"serving", "draining", "out", "joining"} <= seen["INFERAGENT_PHASE"], seen
    assert {"engine-gone", "hold"} <= seen["INFERAGENT_CAUSE"], seen
    twice = [one["MESSAGE"] for before, one in itertools.pairwise(ours) if _told(one) == _told(before)]
    assert not twice, f"said twice in a row: {twice}"
    say(f"{len(ours)} lines with fields; causes {', '.join(sorted(seen['INFERAGENT_CAUSE']))}")


def _told(line: dict[str, str]) -> list[str]:
    """By one life of the agent: the next one says first how it finds the host."""
    return [str(line.get(name, "")) for name in ("_PID", "MESSAGE", *FIELDS)]


def _is_quiet(host: Host) -> None:
    before, seconds = len(_journal(host)), QUIET_FULL if full() else QUIET
    pause(seconds)
    assert status(host)["phase"] == "serving"
    more = _journal(host)[before:]
    assert more == [], f"nothing changed, and it said {more}"
    say(f"no line in {seconds:.0f} s in which nothing changed")


def _journal(host: Host) -> list[str]:
    return host.run(
        "journalctl", "--no-pager", "-o", "json", "-u", AGENT, "_SYSTEMD_UNIT=" + AGENT
    ).splitlines()
