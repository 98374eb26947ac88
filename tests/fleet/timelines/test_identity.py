"""A machine that was made from another's image: two hosts, one pool, one tunnel, two machine ids."""

from dataclasses import replace

import pytest
from tests.fleet.deeds import clone, unclone
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.later import MEMBERSHIPS, all_well, said, untouched
from tests.fleet.timelines.scene import (
    VLLM,
    bound,
    effective,
    engines,
    findings,
    leaves,
    lost,
    out,
    scene,
    whole,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase


def copy_of(fleet: Fleet, original: Host, *, saved: bool) -> Host:
    """Booted from the original's image: its configuration, token and tunnel; a new machine id."""
    kept = fleet.edge.pools[:], dict(fleet.edge.balancer)
    default = fleet.edge.balancer["default_pools"][:]
    host = Host(fleet, f"{original.name}-copy", replace(original.terms, machine="f" * 16), serving=False)
    fleet.edge.pools, fleet.edge.balancer = kept
    fleet.edge.balancer["default_pools"] = default
    host.pool = original.pool
    if saved:
        host.disk.state, host.disk.previous = original.disk.state, original.disk.previous
    host.clock.number = 7
    fleet.hosts.append(host)
    for watcher in fleet.watchers:
        watcher.begin(fleet)
    host.connector.spawn()
    host.start_agent()
    return host


# It finds the pool enabled although it is out, and disables it: the original takes that for another hand.
@pytest.mark.parametrize("saved", [True, False])
def test_a_copy_never_comes_in_and_takes_nothing_from_the_original(saved, record_property):
    async def story(fleet: Fleet) -> None:
        original, peer = fleet.hosts
        await fleet.run(20.0)
        copy = copy_of(fleet, original, saved=saved)
        await fleet.run(2.0)
        found = await fleet.until(lambda: "two-agents" in findings(copy), 60.0)
        bound(record_property, f"cloned image, saved state {saved}: said by the copy", found, 30.0)
        await fleet.run(900.0)
        assert "another machine" in said(copy)
        assert out(copy)
        assert not copy.verdict
        assert whole(fleet, original, peer), "the original serves as before"
        copy.power_off()
        fleet.hosts.remove(copy)
        await all_well(fleet, 60.0)

    fleet = scene(Shape(engines(VLLM), rate=0.2), story)
    assert fleet.of("push") == [], "the copy writes nothing to a pool that may be another's"
    assert leaves(fleet) == 0


@pytest.mark.parametrize("membership", [MembershipKind.OWN_POOL])
def test_a_host_whose_pool_names_another_machine_serves_on_but_does_not_come_back(
    membership, record_property
):
    """Setup ran on the copy and wrote its machine id into the shared pool."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        clone(fleet, host)
        found = await fleet.until(lambda: "two-agents" in findings(host), 60.0)
        bound(record_property, "another machine in the description: said", found, 20.0)
        await fleet.run(600.0)
        assert whole(fleet), "in doubt nothing goes upward; what serves is left alone"
        assert host.drain().ok
        await fleet.until(lambda: out(host), 60.0)
        assert host.resume().ok
        await fleet.run(600.0)
        assert out(host)
        assert not effective(host.pool)
        assert "two agents" in said(host), "the reason is in the sentence, not only among the findings"
        unclone(fleet, host)
        took = await all_well(fleet, 120.0)
        bound(record_property, "another machine in the description: back once it is set right", took, 60.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.2), story)
    assert lost(fleet) == []
    assert untouched(fleet, fleet.hosts[0])


@pytest.mark.parametrize("membership", [kind for kind in MEMBERSHIPS if kind is not MembershipKind.REPLICA])
def test_a_connector_that_runs_another_tunnel_is_no_way_in(membership, record_property):
    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(20.0)
        assert host.drain(last=True).ok
        await fleet.until(lambda: out(host), 120.0)
        host.connector.tunnel_id = "tunnel-of-another"
        await fleet.run(5.0)
        assert host.resume().ok
        await fleet.run(300.0)
        assert out(host)
        assert "two-agents" in findings(host)
        unclone(fleet, host)
        took = await all_well(fleet, 120.0)
        bound(record_property, f"another tunnel, {membership}: back once it is set right", took, 60.0)

    fleet = scene(Shape(engines(VLLM), membership, rate=0.2), story)
    assert lost(fleet) == []
    assert fleet.hosts[1].phase is Phase.SERVING
