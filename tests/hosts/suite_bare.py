"""A host on which nobody has run setup: all may be switched on; it says what is missing, and keeps still."""

import json
import time

from tests.hosts.host import until
from tests.hosts.lab import host_lab
from tests.hosts.stage import AGENT, UNITS
from tests.hosts.suite import say

WATCHDOG = 30.0  # seconds, of the unit


def suite() -> None:
    with host_lab() as lab:
        host = lab.boot()
        host.run("systemctl", "enable", "--now", "--no-block", *UNITS)
        until(lambda: host.show(AGENT, "ActiveState")["ActiveState"] == "active", "the agent runs")
        begun, pid = time.monotonic(), host.main_pid(AGENT)
        for unit in UNITS[:2]:
            code = until(lambda unit=unit: int(host.show(unit, "ExecMainStatus")["ExecMainStatus"]), unit)
            assert code == 78, f"{unit} ended with {code}"
        document = json.loads(host.try_run("inferagent", "status", "--json").stdout)
        assert document["label"] == "unconfigured", document
        time.sleep(max(0.0, begun + WATCHDOG + 8.0 - time.monotonic()))
        shown = host.show(AGENT, "NRestarts", "MainPID", "StatusText")
        say(f"after {time.monotonic() - begun:.0f} s: {shown}")
        assert (shown["NRestarts"], shown["MainPID"]) == ("0", str(pid)), "the agent did not keep still"
        for unit in UNITS[:2]:
            restarts = host.show(unit, "NRestarts")["NRestarts"]
            assert restarts == "0", f"{unit} was started {restarts} times again"
