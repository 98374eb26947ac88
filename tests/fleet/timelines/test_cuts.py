"""Timelines of a cut line: no edge connection and no API, for as long as it takes."""

import itertools

import pytest
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.scene import (
    OLLAMA,
    VLLM,
    Eye,
    Record,
    arrows,
    bound,
    document,
    engine_touches,
    engines,
    label,
    lost,
    out,
    scene,
    touches,
    whole,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.unit import Part

OWN_POOL, PULL, REPLICA = MembershipKind.OWN_POOL, MembershipKind.PULL, MembershipKind.REPLICA


def cut(*hosts: Host, line: bool = True) -> None:
    for host in hosts:
        host.connector.edge, host.line.cut = not line, line


def restarted_at(fleet: Fleet, host: Host) -> list[float]:
    return [note.at for note in touches(fleet, Part.CONNECTOR, host)]


SCENES = [(VLLM, OWN_POOL, count, minutes) for count in (1, 2) for minutes in (32, 90)]
SCENES += [(OLLAMA, OWN_POOL, 1, 32), (OLLAMA, PULL, 2, 32)]


@pytest.mark.parametrize(("kind", "membership", "count", "minutes"), SCENES)
def test_a_wan_that_is_cut_restarts_nothing_but_the_connector_and_comes_back_by_itself(
    record_property, kind, membership, count, minutes
):
    """Every host is cut off; at its end every host serves without anybody's help."""
    cut_for = f"WAN cut {minutes} min, {membership}"

    async def story(fleet: Fleet) -> None:
        await fleet.run(60.0)
        began = fleet.now
        cut(*fleet.hosts)
        took = await fleet.until(lambda: out(*fleet.hosts), 300.0)
        bound(record_property, f"{cut_for}: out after", took, 100.0)
        assert {label(host) for host in fleet.hosts} == {"reconnecting"}
        await fleet.run(minutes * 60.0 - took)
        for host in fleet.hosts:
            times = restarted_at(fleet, host)
            gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
            assert min(gaps) >= 59.0
            assert max(gaps) <= 610.0
            bound(record_property, f"{cut_for}: connector restarts", len(times), 4 + minutes / 10, "")
            bound(record_property, f"{cut_for}: arrows", len(arrows(fleet, host, began)), 2, "")
        cut(*fleet.hosts, line=False)
        await until_whole(fleet, record_property, cut_for, 30.0)

    scene(Shape(engines(kind, count), membership, rate=0.01, alone=count == 1), story)


async def until_whole(fleet: Fleet, record_property: Record, cut_for: str, within: float) -> None:
    took = await fleet.until(lambda: whole(fleet), 900.0)
    bound(record_property, f"{cut_for}: whole after its end", took, within)
    back = fleet.now
    assert engine_touches(fleet) == []
    assert all(host.engine.lives == 1 for host in fleet.hosts)
    assert not any(host.saved.other_hand for host in fleet.hosts)
    await fleet.run(120.0)
    assert whole(fleet)
    assert lost(fleet, back + 16.0) == []


@pytest.mark.parametrize(("count", "minutes"), [(1, 90)])
def test_replicas_whose_wan_is_cut_come_back_by_themselves(record_property, count, minutes):
    """Their connector is started only to join, at its own pace: up to 10 minutes apart."""
    cut_for = f"WAN cut {minutes} min, replica"

    async def story(fleet: Fleet) -> None:
        await fleet.run(60.0)
        cut(*fleet.hosts)
        await fleet.run(minutes * 60.0)
        assert not any(host.phase is Phase.SERVING for host in fleet.hosts)
        for host in fleet.hosts:
            bound(
                record_property,
                f"{cut_for}: connector starts and stops",
                len(restarted_at(fleet, host)),
                2 * (4 + minutes / 10),
                "",
            )
        cut(*fleet.hosts, line=False)
        await until_whole(fleet, record_property, cut_for, 600.0)

    scene(Shape(engines(VLLM, count), REPLICA, rate=0.01, alone=count == 1), story)


@pytest.mark.parametrize("count", [1, 2])
def test_a_replica_whose_wan_is_cut_joins_only_when_its_connector_may_be_started(record_property, count):
    """After 60, 120, 240, 480, 600 s: five tries of at most three arrows in half an hour."""

    async def story(fleet: Fleet) -> None:
        await fleet.run(60.0)
        began = fleet.now
        cut(*fleet.hosts)
        await fleet.run(1800.0)
        for host in fleet.hosts:
            bound(record_property, "WAN cut 30 min, replica: arrows", len(arrows(fleet, host, began)), 18, "")

    told = scene(Shape(engines(VLLM, count), REPLICA, rate=0.01, alone=count == 1), story)
    assert told.of("arrow")


@pytest.mark.parametrize(("kind", "minutes"), [(OLLAMA, 32)])
def test_one_of_two_hosts_with_its_wan_cut_leaves_the_users_to_the_other(record_property, kind, minutes):
    async def story(fleet: Fleet) -> None:
        host, other = fleet.hosts
        await fleet.run(60.0)
        began, eye = fleet.now, Eye.attach(fleet)
        cut(host)
        await fleet.run(minutes * 60.0)
        bound(record_property, "WAN of one of two cut: users sent nowhere", eye.seconds_unreachable, 0)
        assert set(lost(fleet, began)) <= {"no tunnel", "the connector ended"}
        assert lost(fleet, began + 40.0) == []
        assert document(host).exit_code == 4
        assert whole(fleet, other)
        cut(host, line=False)
        took = await fleet.until(lambda: whole(fleet), 600.0)
        bound(record_property, "WAN of one of two cut: whole after its end", took, 60.0)
        assert engine_touches(fleet) == []
        assert lost(fleet, began + 40.0) == []

    scene(Shape(engines(kind), rate=0.05), story)


def test_an_edge_that_is_away_for_40_s_moves_nobody(record_property):
    async def story(fleet: Fleet) -> None:
        await fleet.run(60.0)
        began = fleet.now
        cut(*fleet.hosts)
        await fleet.run(40.0)
        cut(*fleet.hosts, line=False)
        took = await fleet.until(lambda: whole(fleet), 60.0)
        bound(record_property, "WAN cut for 40 s: whole after its end", took, 30.0)
        assert fleet.of("arrow", since=began) == []
        assert fleet.of("touch", since=began) == []

    scene(Shape(engines(VLLM), rate=0.05), story)
