"""Timelines of drains that something comes across: another drain, a revoked token, an engine that hangs."""

import pytest
from tests.fleet.engine import FOR_EVER, Request
from tests.fleet.fleet import Fleet, Shape
from tests.fleet.host import Host
from tests.fleet.timelines.scene import (
    BOTH_KINDS,
    OLLAMA,
    VLLM,
    Eye,
    arrows,
    bound,
    effective,
    engine_touches,
    engines,
    findings,
    label,
    lost,
    out,
    scene,
    sentence,
    whole,
)

from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase

OWN_POOL = MembershipKind.OWN_POOL


def hang(*hosts: Host) -> None:
    for host in hosts:
        host.engine.ills.hung_until = FOR_EVER


@pytest.mark.parametrize("pauses", [(0.4, 0.4), (0.8, 0.8), (0.1, 1.7), (1.7, 0.1)])
@pytest.mark.parametrize(("kind", "interval"), [(VLLM, 15.0), (OLLAMA, 60.0)])
def test_drain_a_resume_a_drain_b_within_2_s_never_has_both_out(record_property, kind, pauses, interval):
    """B was told to leave on a reading from before A had left: it leaves once A is effective again."""

    async def story(fleet: Fleet) -> None:
        first, second = fleet.hosts
        await fleet.run(47.0)
        began, eye = fleet.now, Eye.attach(fleet)
        assert first.drain().ok
        await fleet.run(pauses[0])
        assert first.resume().ok
        await fleet.run(pauses[1])
        accepted = second.drain().ok
        took = await fleet.until(lambda: whole(fleet, first), 120.0)
        bound(record_property, "drain A, resume A, drain B: A back", took, interval + 15.0)
        await fleet.until(lambda: accepted or second.drain().ok, 20.0)
        took = await fleet.until(lambda: out(second), 120.0)
        bound(record_property, "drain A, resume A, drain B: B out after A is back", took, 60.0)
        assert eye.fewest_effective >= 1
        assert eye.seconds_unreachable == 0
        assert lost(fleet, began) == []
        assert second.resume().ok
        await fleet.until(lambda: whole(fleet), 90.0)
        assert lost(fleet, began) == []

    scene(Shape(engines(kind), rate=1.0, work=1.0, interval=interval), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("landed", [True, False])
def test_a_token_revoked_in_mid_drain_of_a_hung_engine_delays_nothing_but_the_way_back(
    record_property, kind, landed
):
    """What was not written the verdict says; where the pool was never disabled nothing has to be enabled."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(80.0)
        eye = Eye.attach(fleet)
        hang(host)
        host.line.writes = "ok" if landed else "refused"
        await fleet.until(lambda: host.phase is Phase.DRAINING, 90.0)
        left = fleet.now
        await fleet.until(lambda: host.pool.enabled is not landed, 2.0)
        host.line.token = False
        assert not host.verdict
        took = await fleet.until(lambda: not host.ready_answer() and not effective(host.pool), 60.0)
        bound(record_property, "token revoked in mid-drain: no user is sent there", took, 30.0)
        took = await fleet.until(lambda: engine_touches(fleet, host) == ["restart"], 400.0)
        bound(record_property, "token revoked in mid-drain: the engine is repaired", fleet.now - left, 130.0)
        assert not effective(host.pool)
        assert "membership-unknown" in findings(host)
        await fleet.run(600.0)
        if landed:
            assert out(host)
            assert "the pool cannot be read" in sentence(host)
        else:
            assert effective(host.pool)
            assert host.phase is Phase.JOINING
            assert sentence(host) == "joining: the pool cannot be read"
        host.line.token, host.line.writes = True, "ok"
        took = await fleet.until(lambda: whole(fleet), 400.0)
        bound(record_property, "token revoked in mid-drain: back after a new token", took, 60.0)
        assert engine_touches(fleet, host) == ["restart"]
        assert set(lost(fleet)) <= {"the engine ended", "no answer"}
        assert eye.seconds_unreachable == 0

    scene(Shape(engines(kind), rate=0.1), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
def test_a_hold_given_to_a_hung_host_that_s2_keeps_in_wins_and_lasts_until_resume(record_property, kind):
    """Of three that hang at once two are kept in. The hold takes one of them out; nobody repairs it then."""

    async def story(fleet: Fleet) -> None:
        held, others = fleet.hosts[0], fleet.hosts[1:]
        await fleet.run(80.0)
        for host in fleet.hosts:
            host.take(Request(work=2.0))
        hang(*fleet.hosts)
        await fleet.until(lambda: "kept in" in sentence(held), 120.0)
        assert held.phase is Phase.SERVING
        assert held.drain().ok
        took = await fleet.until(lambda: held.phase is Phase.DRAINING, 30.0)
        bound(record_property, "hold on a hung host that is kept in: leaves", took, 5.0)
        assert "→ draining: draining" in str(fleet.of("arrow", held)[-1].detail)
        took = await fleet.until(lambda: out(held), 900.0)
        bound(record_property, "hold on a hung host that is kept in: out", took, 120.0)
        await fleet.until(lambda: whole(fleet, *others), 1200.0)
        await fleet.run(300.0)
        assert out(held)
        assert label(held) == "held"
        assert engine_touches(fleet, held) == []
        assert "held by the operator" in sentence(held)
        await held.reboot(30.0) if kind is VLLM else held.kill_agent()
        held.start_agent()
        await fleet.run(120.0)
        assert label(held) == "held"
        assert engine_touches(fleet, held) == []
        assert held.resume().ok
        took = await fleet.until(lambda: whole(fleet), 600.0)
        bound(record_property, "hold on a hung host that is kept in: whole after resume", took, 240.0)
        assert "serving → draining" in arrows(fleet, held)

    scene(Shape(engines(kind, 3), rate=0.05), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("last", [True, False])
def test_a_hold_on_the_last_effective_host_that_hangs(record_property, kind, last):
    """Without --last it is refused and the hang is repaired; with it the host is held, hung as it is."""

    async def story(fleet: Fleet) -> None:
        away, host = fleet.hosts
        await fleet.run(60.0)
        assert away.drain().ok
        await fleet.until(lambda: out(away), 60.0)
        await fleet.run(20.0)
        host.take(Request(work=2.0))
        hang(host)
        await fleet.until(lambda: "kept in" in sentence(host), 90.0)
        answer = host.drain(last=last)
        assert answer.ok is last
        assert last or "--last" in answer.cure
        if last:
            took = await fleet.until(lambda: out(host), 300.0)
            bound(record_property, "hold with --last on the last host, hung: out", took, 120.0)
            await fleet.run(600.0)
            assert label(host) == "held"
            assert engine_touches(fleet, host) == []
            assert host.resume().ok
        took = await fleet.until(lambda: whole(fleet, host), 400.0)
        bound(record_property, f"hold on the last host, hung (last={last}): repaired and back", took, 240.0)
        assert engine_touches(fleet, host) == ["restart"]
        away.resume()
        await fleet.until(lambda: whole(fleet), 60.0)

    scene(Shape(engines(kind), OWN_POOL, rate=0.02), story)


@pytest.mark.parametrize("kind", BOTH_KINDS)
@pytest.mark.parametrize("known_alone", [True, False])
def test_the_only_host_held_and_resumed_while_its_api_is_lost_serves_again(
    record_property, kind, known_alone
):
    """The leaving write never came through: nothing has to be enabled, so nothing has to be read."""

    async def story(fleet: Fleet) -> None:
        host = fleet.hosts[0]
        await fleet.run(40.0)
        host.line.cut = True
        await fleet.run(60.0)
        assert host.drain(last=True).ok
        await fleet.until(lambda: out(host), 200.0)
        await fleet.run(60.0)
        assert host.resume().ok
        took = await fleet.until(lambda: effective(host.pool) and host.ready_answer(), 600.0)
        bound(record_property, "only host, held and resumed without its API: users are served", took, 60.0)
        assert sentence(host) == "joining: the pool cannot be read"
        host.line.cut = False
        await fleet.until(lambda: whole(fleet), 60.0)
        assert engine_touches(fleet) == []
        assert not host.saved.other_hand

    scene(Shape(engines(kind, 1), rate=0.05, alone=known_alone), story)
