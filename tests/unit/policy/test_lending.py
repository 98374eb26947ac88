"""Who is on the engine's GPUs, who was there before, and what that keeps from coming back."""

from dataclasses import fields as fields_of
from dataclasses import replace as replaced

import pytest
from tests.support.build import (
    NOW,
    PEER,
    dead,
    desired,
    endpoint,
    facts,
    failed,
    leaving,
    look,
    observed,
    out_view,
    saved,
    unit,
    val,
    view,
)

from inferagent.model.action import Move, Push, Restart, Start, Stop
from inferagent.model.desired import Hold, Terms
from inferagent.model.gpu import Gpu, GpuProcess, GpuReport
from inferagent.model.health import CauseKind
from inferagent.model.phase import Label, Phase
from inferagent.model.reading import NEVER, NotAvailable, Reading
from inferagent.model.saved import Saved
from inferagent.model.unit import Part
from inferagent.policy.decide import decide
from inferagent.policy.facts import Facts
from inferagent.policy.labels import label
from inferagent.policy.leaving import needs_last
from inferagent.policy.lending import CODE, frees, in_use, judge_lending, residents, track_lending, unseen
from inferagent.policy.rules import s2_leave_by_kind, s13_hold
from inferagent.policy.wake import wake

LEND = Hold("2026-11-22T12:00:00+00:00", stop_engine=True, lend=True)
MAIN = 100


def replace(value, **changes):
    """Of facts: what is worked out from the others can be said too."""
    if not isinstance(value, Facts):
        return replaced(value, **changes)
    made = Facts(value.observed, value.desired, value.saved, value.causes, value.findings)
    for name in {field.name for field in fields_of(made)} & changes.keys():
        object.__setattr__(made, name, changes[name])
    return made


ENGINE = GpuProcess(MAIN, 1_000_000_000, "compute", "vllm", (1,))
WORKER = GpuProcess(101, 17_000_000_000, "compute", "VLLM::EngineCor", (MAIN, 1))
XORG = GpuProcess(50, 200_000_000, "graphics", "Xorg", (40, 1))
BLENDER = GpuProcess(4242, 11_000_000_000, "compute", "blender", (60, 1))
GAME = GpuProcess(4300, 500_000_000, "graphics", "game", (60, 1))
NAMELESS = GpuProcess(4400, 0, "compute")


def report(*processes: GpuProcess, reading: Reading | None = None, more: tuple[Gpu, ...] = ()) -> object:
    first = Gpu(0, "GPU-0", "L4", processes=val(processes) if reading is None else reading)
    return val(GpuReport((first, *more)))


def serving(*processes: GpuProcess, terms: Terms | None = None, gpus: object = None, **fields) -> Facts:
    engine = val(replace(unit(), main_pid=MAIN))
    seen = observed(engine_unit=engine, gpus=gpus or report(*processes))
    return facts(seen=seen, kept=saved(**fields), wish=desired(terms))


def lent(*processes: GpuProcess, hold: Hold | None = None, gpus: object = None, **fields) -> Facts:
    """Out, the engine stopped, the GPU lent; "Xorg" was there at the last join."""
    usual = {"lent": True, "stopped_engine": True, "residents": ("Xorg",), "baseline": False}
    kept = leaving(Phase.OUT, **(usual | fields))
    seen = observed(
        engine_unit=val(dead()),
        engine=look(accepts=val(False)),
        membership=val(out_view()),
        gpus=gpus or report(*processes),
    )
    return facts(seen=seen, kept=kept, wish=desired(hold=hold))


NEVER_SEEN = "cannot tell who uses the GPUs but the engine"


# who is there


def test_residents_are_those_who_do_not_descend_from_the_engine() -> None:
    assert residents(serving(ENGINE, WORKER, XORG)) == ("Xorg",)
    assert residents(serving(ENGINE, WORKER)) == ()
    assert residents(serving(ENGINE, XORG, NAMELESS)) == ("", "Xorg")


@pytest.mark.parametrize("reading", [failed(), NotAvailable(NOW)])
def test_where_they_cannot_be_read_those_seen_before_stand(reading: Reading) -> None:
    assert residents(serving(gpus=report(reading=reading), residents=("Xorg",))) == ("Xorg",)
    assert residents(serving(gpus=failed())) is None
    assert residents(serving(gpus=NotAvailable(NOW))) is None


def test_only_the_engine_s_own_gpus_count() -> None:
    other = Gpu(1, "GPU-1", "L4", processes=val((BLENDER,)))
    two = report(ENGINE, XORG, more=(other,))
    assert residents(serving(gpus=two, terms=Terms(gpus=(0,)))) == ("Xorg",)
    assert residents(serving(gpus=two, terms=Terms(gpus=(0, 1)))) == ("Xorg", "blender")
    blind = report(ENGINE, XORG, more=(Gpu(1, "GPU-1", "L4", processes=failed()),))
    assert residents(serving(gpus=blind, terms=Terms(gpus=(0,)))) == ("Xorg",)


def test_what_a_stop_frees() -> None:
    assert frees(serving(ENGINE, WORKER, XORG)) == "18 GB on GPU 0"
    two = report(ENGINE, more=(Gpu(1, "GPU-1", "L4", processes=val((WORKER,))),))
    assert frees(serving(gpus=two)) == "1 GB on GPU 0 and 17 GB on GPU 1"
    assert frees(serving(XORG)) == frees(serving(gpus=report(reading=failed()))) == ""


# what it keeps from coming back


@pytest.mark.parametrize(
    ("processes", "text"),
    [
        ((), ""),
        ((XORG,), ""),
        ((replace(XORG, pid=51),), ""),  # the desktop was started anew
        ((XORG, BLENDER), "GPU 0 is used by blender (pid 4242, 11 GB)"),
        ((GAME,), "GPU 0 is used by game (pid 4300, 0.5 GB)"),
        ((NAMELESS,), "GPU 0 is used by a process (pid 4400)"),
        ((BLENDER, replace(BLENDER, kind="graphics")), "GPU 0 is used by blender (pid 4242, 11 GB)"),
        ((BLENDER, GAME, XORG), "GPU 0 is used by blender (pid 4242, 11 GB), and 1 more"),
    ],
)
def test_a_process_that_was_not_there_at_the_last_join(processes: tuple[GpuProcess, ...], text: str) -> None:
    assert in_use(lent(*processes)) == text
    cause, _ = judge_lending(lent(*processes))
    assert (cause.text if cause else "") == text
    if cause is not None:
        assert (cause.kind, cause.code) == (CauseKind.OPERATOR, CODE)


def test_a_nameless_one_is_no_stranger_where_names_could_not_be_read_before() -> None:
    assert in_use(lent(NAMELESS, residents=("", "Xorg"))) == ""


@pytest.mark.parametrize(
    ("gpus", "residents", "blind"),
    [
        (failed(), ("Xorg",), "cannot tell who uses the GPUs: cannot read"),
        (report(reading=failed()), ("Xorg",), "cannot tell who uses GPU 0: cannot read"),
        (report(reading=NotAvailable(NOW)), ("Xorg",), "cannot tell who uses GPU 0: its driver does not say"),
        (
            report(BLENDER),
            None,
            "cannot tell who uses the GPUs but the engine: nobody has seen that while it served",
        ),
    ],
)
def test_what_nobody_can_tell_keeps_nobody_out_and_is_said(
    gpus: object, residents: object, blind: str
) -> None:
    found = lent(gpus=gpus, residents=residents)
    cause, finding = judge_lending(found)
    assert cause is None
    assert finding is not None
    assert (finding.code, finding.text) == ("gpu-users-unknown", blind)
    assert unseen(found) == blind


def test_without_any_gpu_there_is_nothing_to_say() -> None:
    assert judge_lending(lent(gpus=NotAvailable(NOW))) == (None, None)


def test_before_the_first_look_an_agent_that_has_just_started_waits() -> None:
    cause, finding = judge_lending(lent(gpus=NEVER))
    assert (cause.text if cause else "") == "the GPUs have not been looked at yet"
    assert finding is None


def test_while_the_hold_stands_nobody_is_in_the_way() -> None:
    assert judge_lending(lent(BLENDER, hold=LEND))[0] is None


def test_what_was_not_lent_is_nobody_s_business() -> None:
    assert judge_lending(lent(BLENDER, lent=False)) == (None, None)


# what it does


def judged(found: Facts) -> Facts:
    cause, _ = judge_lending(found)
    return replace(found, causes=(cause,) if cause else ())


def test_nothing_of_the_engine_starts_and_nobody_joins_while_somebody_is_on_the_gpu() -> None:
    used, free = judged(lent(BLENDER)), judged(lent(XORG))
    for proposal in (Start(Part.ENGINE), Restart(Part.ENGINE), Move(Phase.JOINING), Push(True)):
        assert s13_hold(proposal, used) == "GPU 0 is used by blender (pid 4242, 11 GB)"
        assert s13_hold(proposal, free) == ""
    for proposal in (Start(Part.CONNECTOR), Stop(Part.ENGINE), Push(False)):
        assert s13_hold(proposal, used) == ""
    assert label(used) is Label.WAITING


def test_the_decision_waits_says_for_whom_and_starts_when_they_have_left() -> None:
    found = lent(BLENDER)
    decision = decide(found.observed, found.desired, found.saved)
    assert decision.label is Label.WAITING
    assert decision.sentence == "out, waiting: GPU 0 is used by blender (pid 4242, 11 GB)"
    assert decision.actions == ()
    found = lent(XORG)
    decision = decide(found.observed, found.desired, found.saved)
    assert [type(action) for action in decision.actions] == [Start]
    assert decision.saved.lent, "until it lives: the start may fail"


def tracked(found: Facts) -> Saved:
    return track_lending(found, found.saved)


def test_lent_is_what_is_down_at_the_operator_s_word() -> None:
    assert tracked(lent(hold=LEND, lent=False)).lent
    assert not tracked(lent(hold=replace(LEND, lend=False), lent=False)).lent
    assert not tracked(lent(hold=None, lent=False)).lent
    still = replace(lent(hold=LEND, lent=False), unit=unit(), engine_dead=False)
    assert not tracked(still).lent, "it is still to be stopped"


def test_it_is_over_with_the_engine_s_next_life() -> None:
    alive = replace(lent(), unit=unit(), engine_dead=False)
    assert not tracked(alive).lent
    assert tracked(lent()).lent


def test_the_first_sight_of_the_others_while_serving_is_kept() -> None:
    assert tracked(serving(ENGINE, XORG)).residents == ("Xorg",)
    assert tracked(serving(ENGINE, BLENDER, residents=("Xorg",))).residents == ("Xorg",)


def test_a_boot_forgets_neither() -> None:
    woken = wake(lent().saved, 20.0, "boot-2")
    assert (woken.lent, woken.residents) == (True, ("Xorg",))


def test_the_last_endpoint_is_not_lent_unasked() -> None:
    assert needs_last(lent()) == ""
    alone = facts(seen=observed(membership=val(view())))
    assert needs_last(alone) == "no other endpoint is effective: lending needs --last"
    assert needs_last(facts(wish=desired(Terms(alone=True)))) == needs_last(alone)
    assert needs_last(facts(seen=observed(membership=failed()))).startswith("the others cannot be read")


def to_be_stopped(*peers, **changes) -> Facts:
    """Out to be lent, the engine still there."""
    kept = leaving(Phase.OUT, baseline=False, residents=("Xorg",))
    seen = observed(membership=val(view(*peers, own=endpoint(effective=False))), gpus=report(XORG))
    return facts(seen=seen, kept=kept, wish=desired(hold=replace(LEND, **changes)))


def test_of_two_that_are_lent_at_once_neither_engine_is_stopped() -> None:
    """Each saw the other when it was asked; by now nobody is left."""
    alone = to_be_stopped(endpoint("peer", effective=False))
    assert (
        s2_leave_by_kind(Stop(Part.ENGINE), alone) == "no other endpoint is effective: lending needs --last"
    )
    _, finding = judge_lending(alone)
    assert finding is not None
    assert (finding.code, finding.cure) == ("not-lent", "inferagent resume")
    for free in (to_be_stopped(PEER), to_be_stopped(last=True), to_be_stopped(lend=False)):
        assert s2_leave_by_kind(Stop(Part.ENGINE), free) == ""
        assert judge_lending(free) == (None, None)
