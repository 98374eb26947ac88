"""The end of a story that heals: all foreign things are well again, and every host must serve."""

from tests.fleet.deeds import DEEDS
from tests.fleet.fleet import Fleet
from tests.fleet.host import Host
from tests.fleet.law import own_pool

from inferagent.model.phase import Phase

CURES = (
    "engine answers rightly",
    "model back",
    "engine whole",
    "counters back",
    "seeing",
    "looks quick",
    "connector metrics back",
    "line back",
    "ingress right",
    "API back",
    "token given",
    "writes well",
    "no clone",
    "unpark",
    "disk free",
    "units readable",
    "monitor sees",
    "account up",
    "few users",
    "game ends",
    "GPU users seen",
)
LATE = 60.0  # seconds within which the last late write has landed
BOUND = 4200.0


def cure(fleet: Fleet, host: Host) -> None:
    for name in CURES:
        DEEDS[name](fleet, host)
    host.engine.ills.load_stuck = False
    host.engine.supervised, host.connector.supervised = True, True
    host.engine.short_lived_until = 0.0
    host.gpu_blind, host.crash_at = False, 0
    host.thaw()
    host.start_agent()
    if not own_pool(host) and not host.pool.enabled:
        host.hand(True)
    if host.engine.by_person:
        host.engine.spawn()


async def heal(fleet: Fleet) -> None:
    """Raises AssertionError where a host does not come back: a dead end."""
    for host in fleet.hosts:
        cure(fleet, host)
    await fleet.run(LATE)
    for host in fleet.hosts:
        cure(fleet, host)
        if host.saved.faults or host.gpu_fault:
            await host.reboot(20.0)
            await fleet.run(15.0)
        if host.held or host.handled or host.saved.other_hand:
            host.resume()
    await fleet.until(lambda: all(host.phase is Phase.SERVING for host in fleet.hosts), BOUND)
