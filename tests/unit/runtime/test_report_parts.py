"""The parts of a status, each from its readings alone."""

from dataclasses import replace

import pytest
from tests.support import build
from tests.support.build import BOOT, NOW

from inferagent.model.change import changed
from inferagent.model.desired import Desired, Terms
from inferagent.model.gpu import Gpu, GpuReport
from inferagent.model.health import CauseKind
from inferagent.model.observed import Job, Observed
from inferagent.model.phase import Phase
from inferagent.model.saved import Fault, Saved, Write
from inferagent.policy.decide import decide
from inferagent.runtime.report_parts import (
    SAME_STORY,
    SHOWS,
    after_the_cause,
    connections,
    connector_part,
    engine_part,
    gpu_lines,
    pool_turned,
)

TERMS = Terms(names=("chat", "b"), engine_names=("Qwen/Qwen3-8B", "b"))
WROTE = Write(False, NOW - 30, True, True)


def condition(observed: Observed, saved: Saved | None = None) -> str:
    kept = saved or build.saved(memory=build.memory(generation_ok_at=None))
    return engine_part(observed, decide(observed, Desired(), kept), TERMS).condition


def test_the_models_are_named_as_users_and_as_the_engine_know_them() -> None:
    observed = build.observed()
    part = engine_part(observed, decide(observed, Desired(), build.saved()), TERMS)
    assert (part.name, part.detail, part.state) == ("vllm", '"chat" = Qwen/Qwen3-8B, "b"', "running")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "running, answered 5 s ago"),
        ({"generation": build.failed()}, "running, has not answered yet"),
        ({"engine_unit": build.failed()}, "unknown"),
        ({"engine_unit": build.val(build.dead(exit="exit code 1"))}, "stopped (exit code 1)"),
        ({"engine": build.look(accepts=build.failed())}, "running, cannot be asked"),
        ({"engine": build.look(accepts=build.val(False))}, "running, refuses connections"),
        ({"engine": build.look(models=build.val(frozenset({"x"})))}, "running, without its model"),
    ],
)
def test_the_condition_says_what_the_unit_does_not_know(fields: dict[str, object], says: str) -> None:
    cold = build.memory(generation_ok_at=None, generation_mark=0.0, falls=(("model-missing", 1, NOW - 2),))
    assert condition(build.observed(**fields), build.saved(memory=cold)) == says


def test_an_old_answer_is_not_worth_saying() -> None:
    old = build.saved(memory=build.memory(generation_ok_at=NOW - 61))
    assert condition(build.observed(generation=build.failed()), old) == "running"


def test_a_starting_engine_is_not_said_to_refuse() -> None:
    cold = build.leaving(Phase.OUT, memory=build.memory(generation_ok_at=None, accepted=False))
    young = build.observed(engine=build.warming(), generation=build.failed())
    assert condition(young, cold) == "running, not listening yet"


def fault(**fields: object) -> Fault:
    whole = Fault(BOOT, "GPU-1", "lost", "GPU 1 is lost to its driver", NOW)
    return replace(whole, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (fault(), "stopped (GPU 1 lost)"),
        (fault(gpu="GPU-9", index=3, code="reset-required"), "stopped (GPU 3 wants a reset)"),
        (fault(gpu="GPU-9"), "stopped (GPU lost)"),
    ],
)
def test_a_stopped_engine_names_the_fault_of_its_gpu(one: Fault, says: str) -> None:
    gone = build.observed(
        engine_unit=build.val(build.dead(exit="killed by signal 9")), gpus=build.val(build.gpus(2))
    )
    assert condition(gone, build.leaving(Phase.OUT, faults=(one,))) == says


def test_connections_are_said_out_of_four() -> None:
    assert [connections(n) for n in (0, 1, 4, 8)] == [
        "no edge connection",
        "1/4 connections",
        "4/4 connections",
        "8 connections",
    ]


@pytest.mark.parametrize(
    ("fields", "replica", "phase", "says"),
    [
        ({}, False, Phase.SERVING, ("4/4 connections", "running")),
        (
            {"connector": build.connector(ready=build.failed())},
            False,
            Phase.SERVING,
            ("connections unknown", "running"),
        ),
        (
            {"connector_unit": build.val(build.dead(exit="exit code 1"))},
            False,
            Phase.SERVING,
            ("4/4 connections", "stopped (exit code 1)"),
        ),
        (
            {"connector_unit": build.val(build.dead())},
            True,
            Phase.OUT,
            ("4/4 connections", "stopped while out"),
        ),
    ],
)
def test_the_connector(fields: dict[str, object], replica: bool, phase: Phase, says: tuple[str, str]) -> None:
    observed = build.observed(**fields)
    decision = replace(decide(observed, Desired(), build.saved()), phase=phase)
    part = connector_part(observed, decision, replica)
    assert (part.detail, part.condition) == says


def turned(
    enabled: bool, seen: float | None, write: Write | None = WROTE, *jobs: tuple[str, Job]
) -> float | None:
    return pool_turned(build.observed(jobs=jobs), build.saved(last_write=write), enabled, seen)


def test_our_own_write_turned_the_pool_at_the_moment_of_its_answer() -> None:
    assert turned(False, None) == NOW - 30
    assert turned(False, NOW - 20) == NOW - 30
    assert turned(False, NOW - 20, WROTE, ("push", Job(ended=NOW - 29.5))) == NOW - 29.5
    assert turned(False, None, WROTE, ("push", Job(ended=NOW - 29.5, error="cannot"))) == NOW - 30


def test_what_another_hand_did_is_dated_by_when_it_was_seen() -> None:
    assert turned(True, NOW - 7) == NOW - 7, "our write said the opposite"
    assert turned(False, NOW - 30 + SHOWS + 1) == NOW - 30 + SHOWS + 1, "turned back and again"
    assert turned(False, NOW - 7, None) == NOW - 7
    assert turned(False, None, changed(WROTE, confirmed=False)) is None


@pytest.mark.parametrize(
    ("kind", "at", "took"),
    [
        (CauseKind.CERTAIN, NOW + 1.1, 1.1),
        (CauseKind.INFERRED, NOW + 1.1, 1.1),
        (CauseKind.OPERATOR, NOW + 1.1, None),
        (CauseKind.CERTAIN, NOW - 1, None),
        (CauseKind.CERTAIN, NOW + SAME_STORY + 1, None),
        (CauseKind.CERTAIN, None, None),
    ],
)
def test_how_long_leaving_took_is_said_of_faults_alone(
    kind: CauseKind, at: float | None, took: float | None
) -> None:
    saved = build.saved(cause=build.cause(kind, since=NOW))
    assert after_the_cause(saved, at) == (None if took is None else pytest.approx(took))


def test_a_gpu_that_the_driver_shows_no_more_has_its_line() -> None:
    observed = build.observed(gpus=build.val(GpuReport((Gpu(0, "GPU-0", "L4"),))))
    lines = gpu_lines(observed, (fault(index=1),))
    assert [(line.index, line.text, line.fault) for line in lines] == [(0, "ok", ""), (1, "lost", "lost")]
    assert gpu_lines(build.observed(gpus=build.failed()), ()) == ()


def test_the_kernel_s_word_on_a_gpu_is_found_by_its_place_too() -> None:
    card = Gpu(1, "GPU-1", "L4", pci="00000000:01:00.0")
    observed = build.observed(gpus=build.val(GpuReport((card,))))
    (line,) = gpu_lines(observed, (fault(gpu="unknown", pci="0000:01:00", code="ecc"),))
    assert (line.text, line.fault) == ("memory error", "ecc")
