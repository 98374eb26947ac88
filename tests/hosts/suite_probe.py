"""A GPU probe that hangs in the driver and does not end when told: the agent is restarted all the same."""

import shutil
import subprocess
import time
from pathlib import Path

from tests.hosts.host import Host, until
from tests.hosts.product import REPOSITORY
from tests.hosts.stage import AGENT, Stage, stage, status
from tests.hosts.suite import say

PROBE = "inferagent-probe.service"
BAR = 6.0  # seconds
TIMES = 5
LIBRARY = "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"
STATE = "/etc/inferagent/lab-nvml"
LASTS = "[Service]\nTimeoutStopSec=5min\n"  # a call that not even SIGKILL ends would hold the unit as long


def suite() -> None:
    with stage() as scene:
        host = scene.add()
        _driver(host, scene)
        scene.serve(host)
        until(lambda: "stuck" in _findings(host), "the agent sees a stuck GPU", 60.0, 0.5)
        hung = [_restart(scene, host) for _ in range(TIMES)]
        host.run("systemctl", "stop", "--no-block", PROBE)
        until(
            lambda: host.show(PROBE, "ActiveState")["ActiveState"] == "deactivating",
            "the probe is told to end",
        )
        ending = [_restart(scene, host) for _ in range(TIMES)]
        state = host.show(PROBE, "ActiveState")["ActiveState"]
        say(f"systemctl restart inferagent took at most {max(hung):.2f} s beside a probe that hangs")
        say(f"and {max(ending):.2f} s beside one that was told to end and does not, each of {TIMES}")
        assert state == "deactivating", f"the probe has ended after all: {state}"
        assert max(hung + ending) <= BAR, f"over {BAR} s"


def _restart(scene: Stage, host: Host) -> float:
    begun = time.monotonic()
    host.run("systemctl", "restart", AGENT)
    took = time.monotonic() - begun
    scene.until_serving(host)
    return took


def _findings(host: Host) -> str:
    return str([finding.get("code") for finding in status(host).get("findings", [])])


def _driver(host: Host, scene: Stage) -> None:
    """The stand-in library, whose call about GPU 0 never returns."""
    compiler = shutil.which("cc")
    assert compiler, "there is no C compiler for the stand-in of the driver's library"
    made = scene.folder / "libnvidia-ml.so.1"
    source = REPOSITORY / "tests/fixtures/nvml/nvml.c"
    argv = [compiler, "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1", "-o", str(made), str(source)]
    subprocess.run(argv, check=True)
    Path(host.path(LIBRARY)).write_bytes(made.read_bytes())
    host.write(STATE, "count 1\n0.nvmlDeviceGetUtilizationRates hang\n")
    host.write(f"/etc/systemd/system/{PROBE}.d/lab.conf", f"{LASTS}Environment=NVML_STATE={STATE}\n")
    host.run("systemctl", "daemon-reload")
