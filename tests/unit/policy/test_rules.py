"""The safety rules, each asked by itself. What becomes of a story without one: tests/property."""

from dataclasses import replace

import pytest
from tests.support.build import (
    BOOT,
    NOW,
    cause,
    connector,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    generation,
    leaving,
    look,
    memory,
    observed,
    out_view,
    saved,
    unit,
    val,
    view,
)

from inferagent.model.action import Move, Push, Restart, Start, Stay, Stop
from inferagent.model.desired import Hold, Mode, Terms
from inferagent.model.engine import Load, Outcome
from inferagent.model.health import CauseKind, Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.observed import Job
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER
from inferagent.model.saved import Cleared, Fault, Write
from inferagent.model.unit import Part
from inferagent.policy.facts import Facts
from inferagent.policy.rules import RULES, first_start

JOIN, LEAVE = Move(Phase.JOINING), Move(Phase.DRAINING, cause())
ENABLE, DISABLE = Push(True), Push(False)
START, STOP, RESTART = Start(Part.ENGINE), Stop(Part.ENGINE), Restart(Part.ENGINE)
CONNECTOR = Restart(Part.CONNECTOR)
EVERYTHING = (JOIN, LEAVE, ENABLE, DISABLE, START, STOP, RESTART, CONNECTOR)
OUT = leaving(Phase.OUT)
DISABLED = val(out_view())
HUNG = cause(CauseKind.INFERRED, "engine-hung", repair=Repair.RESTART_ENGINE)


def says(name: str, proposal, found: Facts) -> str:
    (rule,) = [rule for rule in RULES if rule.name == name]
    return rule.check(proposal, found)


def out(*causes, kept=None, wish=None, **seen) -> Facts:
    seen.setdefault("membership", DISABLED)
    return facts(*causes, seen=observed(**seen), kept=kept or OUT, wish=wish)


@pytest.mark.parametrize("proposal", EVERYTHING)
def test_an_observing_agent_does_nothing(proposal):
    assert says("observe", proposal, facts(wish=desired(mode=Mode.OBSERVE)))
    assert not says("observe", proposal, facts())


@pytest.mark.parametrize(
    ("proposal", "seen"),
    [
        (JOIN, {"engine_unit": failed()}),
        (JOIN, {"engine_unit": val(dead())}),
        (JOIN, {"engine": look(accepts=failed())}),
        (JOIN, {"connector": connector(ready=failed())}),
        (JOIN, {"connector": connector(ready=val(0))}),
        (START, {"engine_unit": failed()}),
        (STOP, {"engine_unit": failed()}),
        (RESTART, {"engine_unit": failed()}),
        (CONNECTOR, {"connector_unit": failed()}),
    ],
)
def test_s1_nothing_upward_on_what_is_unknown(proposal, seen):
    assert says("S1", proposal, out(**seen))
    assert not says("S1", proposal, out())
    assert not says("S1", LEAVE, out(**seen))


def test_s2_the_last_one_leaves_by_its_verdict():
    lonely = val(view(endpoint("peer", effective=False)))
    assert says("S2", DISABLE, out(membership=lonely))
    assert not says("S2", DISABLE, out())
    assert says("S2", Move(Phase.DRAINING, HUNG), facts(HUNG, seen=observed(membership=lonely)))
    assert not says("S2", LEAVE, facts(seen=observed(membership=lonely)))


def test_s3_the_engine_is_touched_only_while_out_and_by_a_proof_of_this_moment():
    for proposal in (RESTART, STOP):
        assert not says("S3", proposal, out())
        assert says("S3", proposal, out(kept=leaving()))
        assert says("S3", proposal, out(membership=failed()))
        assert not says("S3", proposal, out(membership=failed(), engine_unit=val(dead())))


def test_s3_a_hung_engine_needs_a_question_after_leaving():
    still = leaving(Phase.OUT, memory=memory(moved_at=NOW - 90, asked_since=NOW - 90))
    asked = val(generation(Outcome.UNANSWERED, NOW - 10, 6.0))
    assert says("S3", RESTART, out(HUNG))
    assert not says("S3", RESTART, out(HUNG, kept=still, generation=asked))
    assert not says("S3", STOP, out(HUNG)), "the operator may stop it all the same"


def test_s3_only_an_engine_without_a_process_is_started():
    assert says("S3", START, out())
    assert says("S3", START, out(engine_unit=val(dead(leftovers=1))))
    assert not says("S3", START, facts(seen=observed(engine_unit=val(dead()))))


def test_s3_a_connector_with_connections_is_left_alone_unless_out_and_quiet():
    busy = leaving(Phase.OUT, memory=memory(idle_since=None))
    assert not says("S3", CONNECTOR, out())
    assert says("S3", CONNECTOR, out(kept=busy))
    assert says("S3", CONNECTOR, facts())
    assert not says("S3", CONNECTOR, facts(seen=observed(connector=connector(ready=val(0)))))


def test_s5_the_engine_stops_when_quiet_or_by_the_operators_own_deadline():
    def late(said: float):
        return leaving(Phase.OUT, left=NOW - 999, memory=memory(idle_since=None, held_since=NOW - said))

    wish = desired(hold=Hold("", stop_engine=True, deadline=60.0))
    assert not says("S5", STOP, out())
    assert says("S5", STOP, out(kept=late(60)))
    assert says("S5", STOP, out(kept=late(59), wish=wish))
    assert not says("S5", STOP, out(kept=late(60), wish=wish))
    assert not says("S5", Stop(Part.CONNECTOR), out(kept=late(60)))


@pytest.mark.parametrize("way", ["load", "lan"])
def test_s5_quiet_is_by_a_look_of_this_moment(way):
    """A request may have come since an older one."""
    empty = Load(0, 0) if way == "load" else 0
    for age, may in ((0.5, True), (0.6, False)):
        seen = look(**{way: val(empty, NOW - age)})
        assert bool(says("S5", STOP, out(engine=seen))) is not may
    old = look(load=val(Load(0, 0), NOW - 9))
    assert not says("S5", STOP, out(engine=old, engine_unit=val(dead()))), "a dead engine has no requests"


def test_s6_a_fault_of_a_gpu_that_the_engine_does_not_use_stops_nothing():
    fault, word = Fault(BOOT, "g", "lost", "lost", NOW, index=0), Cleared(BOOT, "g", NOW - 1, index=0)
    for gpus, stopped in (((1,), False), ((0, 1), True), (None, True)):
        wish = desired(Terms(gpus=gpus))
        for proposal in (JOIN, ENABLE, START, RESTART):
            assert bool(says("S6", proposal, out(kept=replace(OUT, faults=(fault,)), wish=wish))) is stopped
            cleared = out(kept=replace(OUT, cleared=(word,)), wish=wish, gpus=failed())
            assert bool(says("S6", proposal, cleared)) is stopped


def test_s6_a_fault_keeps_out_and_starts_nothing():
    faulty = leaving(Phase.OUT, faults=(Fault(BOOT, "GPU-0", "lost", "GPU 0 is lost", NOW),))
    for proposal in (JOIN, ENABLE, START, RESTART):
        assert says("S6", proposal, out(kept=faulty))
        assert not says("S6", proposal, out())
    for proposal in (LEAVE, DISABLE, CONNECTOR, STOP):
        assert not says("S6", proposal, out(kept=faulty))


def test_s7_writes_keep_their_distance_and_a_blind_join_writes_nothing():
    failing = (("push", Job(ended=NOW, error="cannot", failures=3)),)
    again = leaving(Phase.OUT, last_write=Write(False, NOW - 5))
    assert says("S7", DISABLE, out(kept=again, jobs=failing))
    assert says("S7", JOIN, out(membership=failed(), kept=leaving(Phase.OUT, baseline=False)))
    assert not says("S7", JOIN, out(membership=failed(), kept=leaving(Phase.OUT, baseline=True)))
    gone = leaving(Phase.OUT, last_write=Write(False, NOW - 5, answered=True))
    assert says("S7", JOIN, out(membership=failed(), kept=gone))
    pull = desired(Terms(membership=MembershipKind.PULL))
    assert not says("S7", JOIN, out(membership=failed(), kept=gone, wish=pull))
    assert not says("S7", JOIN, out())


@pytest.mark.parametrize("part", ["engine", "connector"])
def test_s3_nothing_joins_while_its_own_repair_is_under_way(part):
    """What is being restarted may be well again for a moment, and goes all the same."""
    running = ((part, Job(running=True, begun=NOW - 5)),)
    assert says("S3", JOIN, out(jobs=running)) == f"a deed at the {part} is still under way"
    assert not says("S3", JOIN, out(jobs=((part, Job()),)))
    assert not says("S3", LEAVE, out(jobs=running))


def test_s7_nothing_joins_while_its_own_leaving_write_is_under_way():
    running = (("push", Job(running=True, begun=NOW - 5)),)
    assert says("S7", JOIN, out(kept=leaving(Phase.OUT, last_write=Write(False, NOW - 5)), jobs=running))
    assert not says("S7", JOIN, out(kept=leaving(Phase.OUT, last_write=Write(True, NOW - 5)), jobs=running))
    assert not says("S7", JOIN, out(kept=leaving(Phase.OUT, last_write=Write(False, NOW - 5))))


def test_s8_restarts_are_budgeted_and_first_starts_are_not():
    spent = leaving(Phase.OUT, restarts=(NOW - 900, NOW - 600, NOW - 500))
    died = val(dead(exit="exit code 0"))
    assert says("S8", RESTART, out(kept=spent))
    assert says("S8", START, out(kept=spent, engine_unit=died))
    assert not says("S8", START, out(kept=spent, engine_unit=val(dead())))
    failing = (("engine", Job(ended=NOW, error="cannot", failures=1)),)
    assert says("S8", START, out(engine_unit=val(dead()), jobs=failing))
    soon = leaving(Phase.OUT, connector_restarts=1, connector_restart_at=NOW - 5)
    assert says("S8", CONNECTOR, out(kept=soon))


def test_a_first_start_repairs_nothing():
    assert first_start(out(engine_unit=val(dead())))
    assert not first_start(out(engine_unit=val(dead(exit="exit code 0"))))
    stopped = leaving(Phase.OUT, stopped_engine=True)
    assert first_start(out(kept=stopped, engine_unit=val(dead(exit="exit code 0"))))


def test_s9_a_join_waits():
    early = leaving(Phase.OUT, hold_off_until=NOW + 9)
    assert says("S9", JOIN, out(kept=early))
    assert not says("S9", ENABLE, out(kept=early))
    assert not says("S9", JOIN, out())


def test_s11_a_join_and_an_enabling_write_are_proven_and_nothing_is_ill():
    stale = leaving(Phase.OUT, memory=memory(generation_ok_at=NOW - 61))
    for proposal in (JOIN, ENABLE):
        assert not says("S11", proposal, out())
        assert says("S11", proposal, out(kept=stale))
        assert says("S11", proposal, out(cause()))
    assert not says("S11", DISABLE, out(cause(), kept=stale))


@pytest.mark.parametrize("proposal", EVERYTHING)
def test_s12_what_cannot_be_saved_is_not_done_but_leaving_and_starting(proposal):
    allowed = proposal in (LEAVE, DISABLE, START)
    assert bool(says("S12", proposal, out(save=failed()))) is not allowed
    assert not says("S12", proposal, out(save=NEVER))


def test_s12_a_replica_leaves_all_the_same():
    wish = desired(Terms(membership=MembershipKind.REPLICA))
    assert not says("S12", Stop(Part.CONNECTOR), out(save=failed(), wish=wish))
    assert says("S12", STOP, out(save=failed(), wish=wish))
    assert says("S12", Stop(Part.CONNECTOR), out(save=failed()))


@pytest.mark.parametrize("proposal", EVERYTHING)
def test_s13_and_s16_a_hold_repairs_nothing_and_joins_nothing(proposal):
    allowed = proposal in (LEAVE, DISABLE, STOP)
    assert bool(says("S13", proposal, out(wish=desired(hold=Hold(""))))) is not allowed
    assert bool(says("S16", proposal, out(kept=leaving(Phase.OUT, other_hand=True)))) is not allowed


def test_s14_a_soft_absence_is_a_loan():
    better, own = endpoint("peer", rank=0), endpoint(rank=5, effective=False)
    assert not says("S14", Stay(), out(membership=val(view(better, own=own))))
    gone = val(view(replace(better, healthy=False), own=own))
    assert says("S14", Stay(), out(membership=gone))
    for proposal in EVERYTHING:
        assert not says("S14", proposal, out(membership=gone))


def test_s15_two_machines_of_one_identity_do_not_join():
    clone = val(view(own=endpoint(machine="machine-b")))
    wish = desired(Terms(machine="machine-a"))
    assert says("S15", JOIN, out(membership=clone, wish=wish))
    assert says("S15", DISABLE, out(membership=clone, wish=wish)), "it may be the other machine's endpoint"
    leaves = out(membership=clone, wish=wish, kept=leaving(Phase.DRAINING))
    assert not says("S15", DISABLE, leaves)


def test_s16_nothing_is_written_before_the_first_reading():
    assert says("S16", DISABLE, out(kept=leaving(Phase.OUT, adopted=False)))
    assert not says("S16", START, out(kept=leaving(Phase.OUT, adopted=False), engine_unit=val(unit())))


def test_every_rule_is_there_once():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names) == 15
    assert saved().phase is Phase.SERVING
