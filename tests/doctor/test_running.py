"""Checks side by side under one deadline; consequences hidden; some chosen."""

import asyncio
import time

import pytest

from inferagent.programs.doctor.running import Result, chosen, examine, groups_of, hide
from inferagent.programs.doctor.sight import Direction
from inferagent.programs.doctor.verdict import (
    CannotTellError,
    Check,
    Hop,
    NotHereError,
    Verdict,
    fail,
    ok,
    skipped,
    unknown,
)


def check(name, outcome=None, needs=(), seconds=0.0, error=None):
    async def judge(_sight):
        await asyncio.sleep(seconds)
        if error:
            raise error
        return outcome or ok("fine")

    return Check(name, Hop.DNS, name, judge, needs)


def verdicts(results):
    return [str(result.verdict) for result in results]


async def test_all_run_at_once(tmp_path):
    begun = time.monotonic()
    results = await examine([check(str(n), seconds=0.3) for n in range(10)], Direction(tmp_path))
    assert verdicts(results) == ["ok"] * 10
    assert time.monotonic() - begun < 2.9


async def test_whoever_is_late_cannot_be_told(tmp_path):
    slow, quick = check("slow", seconds=30), check("quick")
    results = await examine([slow, quick], Direction(tmp_path, deadline=0.3))
    assert verdicts(results) == ["unknown", "ok"]
    assert "--deadline" in results[0].outcome.cure


async def test_the_two_reasons_for_no_verdict(tmp_path):
    blind = check("blind", error=CannotTellError("cannot see", "sudo"))
    results = await examine([blind, check("bare", error=NotHereError("no GPU"))], Direction(tmp_path))
    assert verdicts(results) == ["unknown", "skipped"]
    assert (results[0].outcome.cure, results[1].outcome.evidence) == ("sudo", "no GPU")


def folded(*pairs):
    return hide([Result(check(name, needs=needs), outcome) for name, outcome, needs in pairs])


@pytest.mark.parametrize("broken", [fail("no", "do"), unknown("?")])
def test_a_consequence_is_hidden_behind_its_cause_however_far(broken):
    results = folded(
        ("a", broken, ()), ("b", fail("no", "do"), ("a",)), ("c", fail("no", "do"), ("b",)), ("d", ok(""), ())
    )
    assert verdicts(results) == [str(broken.verdict), "skipped", "skipped", "ok"]
    assert [result.hidden_by for result in results] == ["", "a", "a", ""]
    assert results[2].outcome.evidence == "needs a"


def test_what_is_only_not_there_hides_nothing():
    results = folded(("a", skipped("no GPU"), ()), ("b", fail("no", "do"), ("a",)))
    assert results[1].verdict is Verdict.FAIL


def test_a_need_that_was_not_asked_for_hides_nothing():
    assert folded(("b", fail("no", "do"), ("a",)))[0].verdict is Verdict.FAIL


def test_an_outcome_may_name_another_hop():
    (result,) = folded(("a", fail("no", "do", Hop.TUNNEL), ()))
    assert result.hop is Hop.TUNNEL


def test_choosing_brings_what_is_needed_along():
    checks = [check("a.x"), check("b.x", needs=("a.x",)), check("b.y"), check("c.x", needs=("b.x",))]
    assert [one.name for one in chosen(checks, ["c.x"])] == ["a.x", "b.x", "c.x"]
    assert [one.name for one in chosen(checks, ["b"], needs=False)] == ["b.x", "b.y"]
    with pytest.raises(ValueError, match="nope"):
        chosen(checks, ["a", "nope"])


def test_a_group_is_a_check_s_first_word_or_the_hop_that_the_report_shows():
    checks = [Check("connector.answers", Hop.TUNNEL, "it runs", ok), Check("ready.here", Hop.READY, "it", ok)]
    assert groups_of(checks[1]) == ("ready", "ready-url")
    for name, found in {"tunnel": 0, "connector": 0, "ready URL": 1, "ready-url": 1, "Ready": 1}.items():
        assert chosen(checks, [name]) == (checks[found],)
