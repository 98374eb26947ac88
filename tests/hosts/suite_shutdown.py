"""A host that is shut down in order leaves the pool first: no user notices where another endpoint exists."""

import time

from tests.hosts.stage import SAID, UNITS, explain, stage
from tests.hosts.suite import say
from tests.hosts.users import Users

RATE = 8.0  # requests a second
BEFORE, AFTER = 5.0, 5.0  # seconds of traffic around it
BUDGET = 25.0  # [drain] shutdown


def suite() -> None:
    say(SAID)
    with stage() as scene:
        going, staying = scene.add(), scene.add()
        for host in (going, staying):
            host.run("systemctl", "enable", *UNITS, "inferagent-ready.socket")
            scene.serve(host)
        with Users(scene.public_host, RATE) as users:
            time.sleep(BEFORE)
            took = going.power_off()
            time.sleep(AFTER)
        say(f"shut down in {took:.1f} s: {users.failed or 0} of {users.sent} requests failed")
        going.boot()
        last = ("-o", "cat", "-b", "-1", "-t", "inferagent-drain", "-n", "1")
        drained = going.run("journalctl", *last).strip()
        say(f"the drain before it: {drained}")
        assert drained.startswith("out after"), "it did not leave first"
        assert not users.failed, f"{users.failed} of {users.sent} failed: {explain(going)}"
        assert took <= BUDGET + 5.0, f"the host took {took:.1f} s to go"
        begun = time.monotonic()
        scene.until_serving(going)
        say(f"serves again {time.monotonic() - begun:.1f} s after the boot, by itself")
