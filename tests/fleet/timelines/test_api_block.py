"""The account blocked by 429 while 20 hosts drain; what 20 hosts call when nothing is wrong."""

from tests.fleet.api import RATE, WINDOW
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.later import all_well, busiest, routed, untouched
from tests.fleet.timelines.scene import (
    VLLM,
    bound,
    effective,
    engines,
    findings,
    lost,
    out,
    scene,
    sentence,
    terms,
)

TWENTY = Shape(engines(VLLM, 20), rate=0.5, terms=terms(pace_look=4.0))  # the pool is read as by default
MOST = 600  # half of what the account allows


async def drain(fleet: Fleet, hosts: list[Host], **how: object) -> float:
    """One after the other within a minute, as is done by hand; returns when the first was told."""
    began = fleet.now
    for host in hosts:
        if not host.drain(**how).ok:
            assert host.drain(last=True).ok
        await fleet.run(3.0)
    return began


async def resume(fleet: Fleet, hosts: list[Host]) -> None:
    for host in hosts:
        assert host.resume().ok
        await fleet.run(1.0)


def test_20_hosts_call_less_than_600_times_in_5_minutes_at_rest_and_while_draining(record_property):
    async def story(fleet: Fleet) -> None:
        await fleet.run(WINDOW + 30.0)
        rest = busiest(fleet.account.calls, WINDOW)
        bound(record_property, "20 hosts: calls in 5 min at rest", rest, MOST - 1, "calls")
        leaving = fleet.hosts[:19]
        began = await drain(fleet, leaving)
        await fleet.until(lambda: out(*leaving), 120.0)
        bound(record_property, "20 hosts: 19 drained within a minute, all out", fleet.now - began, 90.0)
        await resume(fleet, leaving)
        await all_well(fleet, 300.0)
        most = busiest(fleet.account.calls, WINDOW)
        bound(record_property, "20 hosts: calls in 5 min, 19 drained and back", most, RATE - 1, "calls")

    fleet = scene(TWENTY, story)
    assert lost(fleet) == []


def test_drains_under_a_blocked_account_go_by_verdict_and_monitor(record_property):
    async def story(fleet: Fleet) -> None:
        leaving, stays = fleet.hosts[:19], fleet.hosts[19]
        await fleet.run(60.0)
        fleet.account.blocked_until = fleet.now + WINDOW
        await fleet.run(40.0)
        refused = leaving[0].drain()
        assert not refused.ok
        assert "--last" in refused.cure, "the others cannot be read: the operator is told what to say"
        began = await drain(fleet, leaving, last=True)
        assert not any(host.verdict for host in leaving)
        await fleet.until(lambda: routed(fleet) == {stays.name}, 60.0)
        bound(record_property, "20 hosts, blocked: 19 unreachable for users", fleet.now - began, 120.0)
        assert all("membership-unknown" in findings(host) for host in leaving)
        await fleet.until(lambda: out(*leaving), 300.0)
        bound(record_property, "20 hosts, blocked: 19 out", fleet.now - began, 60.0 + 90.0)
        assert all(host.pool.enabled for host in leaving), "nothing could be written"
        unblocked = fleet.account.blocked_until
        await fleet.until(lambda: not any(host.pool.enabled for host in leaving), WINDOW)
        bound(record_property, "20 hosts: disabled after the block", fleet.now - unblocked, 60.0)
        await resume(fleet, leaving)
        await all_well(fleet, 300.0)

    fleet = scene(TWENTY, story)
    assert lost(fleet) == []
    assert all(untouched(fleet, host) for host in fleet.hosts)


def test_an_account_that_others_have_used_up_is_blocked_in_mid_drain_and_all_are_out(record_property):
    async def story(fleet: Fleet) -> None:
        leaving = fleet.hosts[:19]
        await fleet.run(60.0)
        fleet.account.calls += [fleet.now] * (RATE - 200)
        began = await drain(fleet, leaving)
        assert fleet.account.blocked_until > began, "the story is about a block"
        await fleet.run(30.0)
        kept = [host for host in leaving if host.verdict]
        assert all("--last" in sentence(host) for host in kept), "whoever stays says what is to be said"
        await drain(fleet, kept, last=True)
        await fleet.until(lambda: out(*leaving), 300.0)
        bound(
            record_property, "20 hosts, blocked in mid-drain: 19 out", fleet.now - began, 60.0 + 30.0 + 120.0
        )
        await fleet.until(lambda: not any(host.pool.enabled for host in leaving), 2 * WINDOW)
        await resume(fleet, leaving)
        await all_well(fleet, 600.0)

    fleet = scene(TWENTY, story)
    assert lost(fleet) == []


def test_of_20_hosts_drained_within_a_minute_without_last_one_stays(record_property):
    async def story(fleet: Fleet) -> None:
        await fleet.run(60.0)
        await drain(fleet, fleet.hosts)
        await fleet.run(120.0)
        inside = [host for host in fleet.hosts if effective(host.pool)]
        assert len(inside) == 1, "all are out, and nobody said --last"
        assert "--last" in sentence(inside[0])
        await resume(fleet, fleet.hosts)
        await all_well(fleet, 300.0)

    fleet = scene(TWENTY, story)
    assert lost(fleet) == []
