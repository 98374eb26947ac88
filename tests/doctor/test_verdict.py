"""Outcomes as the checks write them."""

from inferagent.programs.doctor.verdict import (
    CannotTellError,
    Hop,
    Outcome,
    Verdict,
    fail,
    ok,
    skipped,
    unknown,
    warn,
)


def test_each_word_makes_its_verdict():
    assert ok("e") == Outcome(Verdict.OK, "e")
    assert warn("e", "c", Hop.DNS) == Outcome(Verdict.WARN, "e", "c", Hop.DNS)
    assert fail("e", "c").verdict is Verdict.FAIL
    assert unknown("e").cure == ""
    assert skipped("e").verdict is Verdict.SKIPPED


def test_who_cannot_tell_may_know_a_cure():
    assert (str(CannotTellError("no", "sudo")), CannotTellError("no", "sudo").cure) == ("no", "sudo")
