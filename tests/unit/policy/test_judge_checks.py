"""The user's own checks: what each word of theirs may cause, and that not knowing causes nothing."""

from dataclasses import replace

import pytest
from tests.support.build import NOW, cause, desired, facts, leaving, observed, saved

from inferagent.model.action import Move
from inferagent.model.check import Check, CheckResult, CheckView, Effect
from inferagent.model.desired import Terms
from inferagent.model.health import CauseKind, Component, Health, Repair
from inferagent.model.membership import MembershipKind
from inferagent.model.phase import Phase
from inferagent.model.reading import NEVER, Failed, Value
from inferagent.model.saved import Saved
from inferagent.policy.facts import Facts
from inferagent.policy.judge_checks import judge_checks, not_looked_at
from inferagent.policy.rules import s1_unknown_acts_not

TELL, DEGRADE, DRAIN = Effect.TELL, Effect.DEGRADE, Effect.DRAIN
OK, BAD, ILL = Health.HEALTHY, Health.DEGRADED, Health.UNHEALTHY
UNKNOWN = Failed("cannot read the check disk: cannot finish disk within 10 s", NOW)


def said(health: Health, at: float = NOW, text: str = "3 % free", cure: str = "") -> CheckView:
    reading = Value(CheckResult(health, text, cure), at)
    return CheckView(reading, reading)


def seen(effect: Effect, view: CheckView | None, kept: Saved | None = None, **more: object) -> Facts:
    terms = Terms(checks=(Check("disk", effect, "/bin/disk -a"),), **more)  # type: ignore[arg-type]
    looked = observed(checks=(("disk", view),) if view else ())
    return facts(seen=looked, kept=kept, wish=desired(terms))


def judged(effect: Effect, *words: Health, kept: Saved | None = None, **more: object) -> Facts:
    """After these words, one a minute."""
    found = seen(effect, None, kept, **more)
    for minute, word in enumerate(words):
        looked = replace(found.observed, checks=(("disk", said(word, NOW + 60 * minute)),))
        found = Facts(looked, found.desired, found.saved)
        memory, judgement = judge_checks(found)
        found = found.keeping(replace(found.saved, memory=memory))
        found = Facts(looked, found.desired, found.saved, judgement.causes, judgement.findings)
    return found


def words(found: Facts) -> list[tuple[str, str]]:
    """Each cause by its kind, each finding by its health."""
    causes = [(one.kind.name.lower(), one.code) for one in found.causes]
    return causes + [(one.health.value, one.code) for one in found.findings]


@pytest.mark.parametrize(
    ("effect", "word", "what"),
    [
        (TELL, BAD, "degraded"),
        (TELL, ILL, "unhealthy"),
        (DEGRADE, BAD, "soft"),
        (DEGRADE, ILL, "soft"),
        (DRAIN, BAD, "soft"),
        (DRAIN, ILL, "certain"),
    ],
)
def test_each_word_causes_what_the_effect_says_after_as_many_falls_as_any_probe(effect, word, what):
    assert words(judged(effect, word)) == []
    assert words(judged(effect, word, word)) == [(what, "check:disk")]
    assert words(judged(effect, word, OK, word)) == []
    assert words(judged(effect, word, word, OK)) == []


def test_nothing_is_repaired_and_the_check_explains_nothing_else():
    (found,) = judged(DRAIN, ILL, ILL).causes
    assert (found.repair, found.component) == (Repair.NONE, Component.CHECK)
    assert (found.text, found.cure) == ("check disk: 3 % free", "see /bin/disk -a")


def test_its_own_cure_is_shown():
    view = said(ILL, cure="sudo journalctl --vacuum-size=1G")
    found = seen(DRAIN, view, leaving(Phase.OUT))
    assert judge_checks(found)[1].causes[0].cure == "sudo journalctl --vacuum-size=1G"


def test_a_silent_check_is_told_in_our_words():
    found = seen(TELL, said(BAD, text=""), leaving(Phase.OUT))
    assert judge_checks(found)[1].findings[0].text == "check disk: says degraded"


def test_the_same_reading_counts_once():
    found = seen(DRAIN, said(ILL))
    memory, _ = judge_checks(found)
    again = found.keeping(replace(found.saved, memory=memory))
    assert judge_checks(again)[1].causes == ()


def test_unhealthy_that_gets_better_to_degraded_is_soft_at_once():
    assert words(judged(DRAIN, ILL, ILL, BAD)) == [("soft", "check:disk")]


def test_a_replica_does_not_leave_for_a_soft_cause_but_for_a_certain_one():
    replica = {"membership": MembershipKind.REPLICA}
    assert words(judged(DEGRADE, ILL, ILL, **replica)) == [("unhealthy", "check:disk")]
    assert words(judged(DRAIN, ILL, ILL, **replica)) == [("certain", "check:disk")]


@pytest.mark.parametrize("effect", list(Effect))
def test_what_cannot_tell_is_a_finding_and_no_cause(effect):
    found = seen(effect, CheckView(UNKNOWN))
    _, judgement = judge_checks(found)
    assert judgement.causes == ()
    (finding,) = judgement.findings
    assert (finding.health, finding.code) == (Health.UNKNOWN, "check-unknown:disk")
    assert finding.text == UNKNOWN.reason


def test_what_was_known_stands_while_it_cannot_tell_and_says_so():
    found = judged(DRAIN, ILL, ILL)
    last = dict(found.observed.checks)["disk"].last
    blind = replace(found.observed, checks=(("disk", CheckView(UNKNOWN, last)),))
    _, judgement = judge_checks(Facts(blind, found.desired, found.saved))
    assert [one.kind for one in judgement.causes] == [CauseKind.CERTAIN]
    assert judgement.causes[0].text == "check disk: 3 % free (unknown since)"
    healthy = judged(DRAIN, ILL, ILL, OK)
    last = dict(healthy.observed.checks)["disk"].last
    blind = replace(found.observed, checks=(("disk", CheckView(UNKNOWN, last)),))
    assert judge_checks(Facts(blind, found.desired, healthy.saved))[1].causes == ()


OUT = leaving(Phase.OUT)


def test_out_one_word_keeps_it_out_and_one_lets_it_back():
    assert words(judged(DRAIN, ILL, kept=OUT)) == [("certain", "check:disk")]
    assert words(judged(DRAIN, ILL, OK, kept=OUT)) == []


@pytest.mark.parametrize("phase", [Phase.OUT, Phase.DRAINING])
@pytest.mark.parametrize("view", [None, CheckView(UNKNOWN)])
def test_a_new_agent_that_knows_nothing_does_not_admit_what_the_old_one_left_for(phase, view):
    left = leaving(phase, cause=cause(CauseKind.CERTAIN, "check:disk"))
    _, judgement = judge_checks(seen(DRAIN, view, left))
    assert [one.kind for one in judgement.causes] == [CauseKind.CERTAIN]
    other = leaving(phase, cause=cause(CauseKind.CERTAIN, "check:other"))
    assert judge_checks(seen(DRAIN, view, other))[1].causes == ()


def test_and_a_word_of_health_ends_that():
    left = leaving(Phase.OUT, cause=cause(CauseKind.CERTAIN, "check:disk"))
    assert judge_checks(seen(DRAIN, said(OK), left))[1].causes == ()
    after = CheckView(UNKNOWN, said(OK).last)
    assert judge_checks(seen(DRAIN, after, left))[1].causes == ()


@pytest.mark.parametrize("phase", [Phase.JOINING, Phase.SERVING])
def test_what_stands_out_stands_on_inside_until_a_good_word(phase):
    found = judged(TELL, ILL, kept=OUT)
    assert words(found) == [("unhealthy", "check:disk")]
    inside = Facts(found.observed, found.desired, replace(found.saved, phase=phase))
    memory, judgement = judge_checks(inside)
    assert [one.health for one in judgement.findings] == [ILL]
    later = replace(inside.observed, checks=(("disk", said(OK, NOW + 60)),))
    after = Facts(later, inside.desired, replace(inside.saved, memory=memory))
    assert judge_checks(after)[1].findings == ()


def test_one_bad_word_from_inside_stands_once_out_and_then_inside_again():
    once = judged(TELL, ILL)
    assert words(once) == []
    out = Facts(once.observed, once.desired, replace(once.saved, phase=Phase.OUT))
    memory, judgement = judge_checks(out)
    assert len(judgement.findings) == 1
    back = Facts(out.observed, out.desired, replace(out.saved, phase=Phase.SERVING, memory=memory))
    assert len(judge_checks(back)[1].findings) == 1


def test_what_an_earlier_agent_left_for_stands_on_after_a_join_that_forgets_the_cause():
    left = leaving(Phase.OUT, cause=cause(CauseKind.SOFT, "check:disk"))
    found = seen(DEGRADE, None, left)
    memory, judgement = judge_checks(found)
    assert len(judgement.causes) == 1
    joined = Facts(found.observed, found.desired, saved(Phase.JOINING, memory=memory))
    assert len(judge_checks(joined)[1].causes) == 1


def test_a_join_waits_for_the_first_run_of_a_check_that_drains_however_it_ends():
    join = Move(Phase.JOINING)
    for effect in Effect:
        waits = not_looked_at(seen(effect, None, OUT))
        assert waits == ("the check disk has not been run yet" if effect is DRAIN else "")
        assert s1_unknown_acts_not(join, seen(effect, None, OUT)) == waits
    assert not_looked_at(seen(DRAIN, CheckView(UNKNOWN), OUT)) == ""
    assert not_looked_at(seen(DRAIN, said(ILL), OUT)) == ""


def test_a_host_without_checks_costs_nothing():
    plain = facts(kept=saved())
    memory, judgement = judge_checks(plain)
    assert memory is plain.memory
    assert (judgement.causes, judgement.findings) == ((), ())
    assert CheckView().reading is NEVER
