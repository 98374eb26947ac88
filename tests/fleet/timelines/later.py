"""What the longer timelines count: restarts by both authorities, the busiest hour, who may be reached."""

from collections.abc import Iterable

from tests.fleet.fleet import Fleet
from tests.fleet.host import Host
from tests.fleet.timelines.scene import engine_touches, findings, label, lost, touches, whole

from inferagent.model.membership import MembershipKind
from inferagent.model.unit import Part

HOUR, DAY = 3600.0, 86400.0
OWN_POOL, PULL, REPLICA = MembershipKind.OWN_POOL, MembershipKind.PULL, MembershipKind.REPLICA
MEMBERSHIPS = (OWN_POOL, PULL, REPLICA)


def busiest(times: Iterable[float], span: float = HOUR) -> int:
    """The most of these times that fall within any span of this length."""
    ordered = sorted(times)
    return max((sum(0.0 <= at - first < span for at in ordered) for first in ordered), default=0)


def arrow_times(fleet: Fleet, host: Host) -> list[float]:
    return [note.at for note in fleet.of("arrow", host)]


def lives(fleet: Fleet, host: Host) -> list[float]:
    """When this host's engine was started anew, by the agent or by its supervisor."""
    ours = [note.at for note in touches(fleet, Part.ENGINE, host) if note.detail.verb != "stop"]
    return [*ours, *(at + host.clock.booted for at in host.engine.own_restarts)]


def routed(fleet: Fleet) -> set[str]:
    """The pools that requests may go to now, from any location."""
    pools = [fleet.route(location) for location in range(len(fleet.edge.lags)) for _ in fleet.hosts]
    return {pool.name for pool in pools if pool}


def untouched(fleet: Fleet, host: Host, since: float = 0.0) -> bool:
    return engine_touches(fleet, host, since) == []


def said(host: Host) -> str:
    """Label, finding codes and sentence in one line, for what a person is told."""
    assert host.life is not None
    assert host.life.documents is not None
    return f"{label(host)} {sorted(findings(host))} {host.life.documents.sentence}"


async def long_while(fleet: Fleet, host: Host, seconds: float) -> None:
    """Hours that are about this host. The others' agents are away: nothing of theirs changes by that, and it
    costs half the time."""
    others = [other for other in fleet.hosts if other is not host]
    for other in others:
        other.kill_agent()
    await fleet.run(seconds)
    for other in others:
        other.start_agent()
    await fleet.run(5.0)


async def all_well(fleet: Fleet, within: float) -> float:
    """Seconds until everybody serves; then a quiet minute in which nobody leaves and nobody is refused."""
    took = await fleet.until(lambda: whole(fleet), within)
    await fleet.run(30.0)
    since = fleet.now
    await fleet.run(60.0)
    assert whole(fleet), fleet.told()
    assert lost(fleet, since) == []
    return took
