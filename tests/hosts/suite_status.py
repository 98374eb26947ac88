"""On a booted host that serves: the time of `inferagent status` beside systemctl's; what doctor finds."""

import json
from collections import Counter

from tests.bench.figures import quantile
from tests.hosts.host import Host
from tests.hosts.stage import AGENT, CA, UNITS, stage
from tests.hosts.suite import say

MEDIAN_MS = 150.0
TRIALS = 21
WITHOUT_EDGE = "config,credentials,gpu,engine,model,ready.here,account,pool,balancer"
WITHOUT_EDGE += ",connector,ingress,monitor,host,agent"
# Runs in the host, in turn, so that all see the same load; the round before the first is not counted.
TIMER = """
import json, subprocess, sys, time
trials, commands = json.loads(sys.argv[1])
taken = {name: [] for name in commands}
for number in range(trials + 1):
    for name, command in commands.items():
        begun = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        if number:
            taken[name].append(1000 * (time.perf_counter() - begun))
print(json.dumps(taken))
"""
COMMANDS = {
    "inferagent status": ["inferagent", "status"],
    "systemctl show": ["systemctl", "show", *UNITS],
    "python3 -c pass": ["/usr/bin/python3", "-c", "pass"],
}


def suite() -> None:
    with stage() as scene:
        host, other = scene.add(), scene.add()
        for each in (host, other):
            scene.serve(each)
        _times(host)
        host.run("systemctl", "enable", *UNITS)
        _doctor(host, scene.public_host)


def _times(host: Host) -> None:
    taken = json.loads(host.run("/usr/bin/python3", "-c", TIMER, json.dumps([TRIALS, COMMANDS])))
    for name, samples in taken.items():
        say(f"{name}: median {quantile(samples, 0.5):.0f} ms, p90 {quantile(samples, 0.9):.0f} of {TRIALS}")
    median = quantile(taken["inferagent status"], 0.5)
    assert median <= MEDIAN_MS, f"status took {median:.0f} ms, over {MEDIAN_MS:.0f}"


def _doctor(host: Host, public: str) -> None:
    """Its look at a healthy host: all but the names and the doors of a real edge."""
    words = ("doctor", "--json", "--only", WITHOUT_EDGE, "--public", public, "--cacert", CA)
    done = host.try_run("inferagent", *words)
    assert done.stdout.startswith("{"), f"doctor told no report: {done.stdout[:500]}{done.stderr[-2000:]}"
    results = json.loads(done.stdout)["checks"]
    counts = Counter(result["verdict"] for result in results)
    say(f"doctor: {dict(counts)}, exit code {done.returncode}")
    failed = [result for result in results if result["verdict"] == "fail"]
    assert not failed, f"doctor finds a fault where {AGENT} serves: {failed}"
