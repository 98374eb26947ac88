"""Episodes: one message when one opens, one when it is over, and only a turn for the worse between."""

from dataclasses import replace

import pytest
from tests.support.illness import (
    FULL,
    GONE,
    GRAVE,
    HELD_OUT,
    HUNG,
    ILL,
    JOINING,
    WARMING,
    WELL,
    Clock,
    How,
    Ids,
)

from inferagent.model.action import Push, Restart
from inferagent.model.desired import Mode
from inferagent.model.health import Cause, CauseKind, Health
from inferagent.model.notice import Notice, Spell
from inferagent.model.phase import Label, Phase
from inferagent.model.unit import Part
from inferagent.runtime.episodes import Episodes, ill


class Story:
    """Ticks every five seconds, as an idle loop does."""

    def __init__(self, after: float = 120.0, spell: Spell | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.episodes = Episodes("here", self.clock, after, Ids(), spell)
        self.told: list[Notice] = []

    def live(self, how: How, seconds: float, step: float = 5.0) -> "Story":
        end = self.clock.second + seconds
        while self.clock.second < end - 1e-9:
            self.clock.second += min(step, end - self.clock.second)
            seen = how.seen(self.clock)
            notice = self.episodes.tick(seen, how.decision(), how.document(self.clock))
            self.told += [notice] if notice else []
        return self

    @property
    def kinds(self) -> list[str]:
        return [notice.kind.value for notice in self.told]


PARKED = Cause(CauseKind.SOFT, "parked", "parked: idle", 0.0)
DEGRADED = Cause(CauseKind.SOFT, "engine-degraded", "the engine is degraded", 0.0)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (WELL, False),
        (ILL, True),
        (WARMING, True),
        (GRAVE, True),
        (HELD_OUT, False),
        (JOINING, False),
        (How(Phase.DRAINING, causes=(HUNG,)), True),
        (How(Phase.DRAINING), False),
        (How(findings=(FULL,)), True),
        (How(findings=(replace(FULL, health=Health.UNKNOWN),)), False),
        (How(findings=(replace(FULL, code="notify-webhook"),)), False),
        (How(enabled=False), True),
        (How(Phase.OUT, Label.PARKED, (PARKED,), enabled=False), False),
        (How(causes=(PARKED,)), False),
        (How(Phase.OUT, Label.PARKED, (DEGRADED,), enabled=False), True),
        (How(Phase.OUT, Label.PARKED, (replace(DEGRADED, code="check:disk"),), enabled=False), True),
        (How(Phase.OUT, Label.HELD, (GONE,), enabled=False), False),
        (replace(ILL, mode=Mode.OBSERVE), True),
        (replace(WARMING, mode=Mode.OBSERVE), False),
    ],
)
def test_what_is_ill_and_what_is_as_somebody_wants_it(how, said):
    assert ill(how.decision(), how.document(Clock())) is said


def test_two_messages_an_episode():
    story = Story().live(WELL, 60).live(ILL, 119)
    assert story.kinds == []
    story.live(ILL, 3600).live(JOINING, 30).live(WELL, 80)
    assert story.kinds == ["opened"]
    story.live(WELL, 3600)
    assert story.kinds == ["opened", "over"]


def test_the_first_message_says_what_why_since_and_the_cure():
    (notice,) = Story().live(ILL, 130).told
    assert notice.text.splitlines() == [
        "here: ill for 2 min: out, recovering: the engine hangs",
        "since: 2026-11-22T12:16:45+01:00",
        "→ look at its log",
    ]
    assert (notice.id, notice.episode, notice.code) == ("e1-opened", "e1", "engine-hung")
    assert (notice.root_cause, notice.phase, notice.label) == ("the engine hangs", "out", "recovering")
    assert notice.seconds == 120.0
    assert dict(notice.evidence)["in_flight"] == 0


def test_findings_that_the_sentence_does_not_say_are_said_too():
    (notice,) = Story().live(replace(ILL, findings=(FULL,)), 130).told
    assert "also: the disk is full" in notice.text
    (alone,) = Story().live(How(findings=(FULL,), sentence="serving"), 130).told
    assert alone.text.splitlines()[:2] == ["here: ill for 2 min: serving", "also: the disk is full"]
    assert (alone.code, alone.root_cause) == ("disk-full", "serving")
    (warming,) = Story().live(replace(WARMING, findings=(FULL,)), 130).told
    assert warming.code == "warming"


def test_the_last_message_says_how_long_what_it_was_and_what_was_done():
    story = Story().live(ILL, 60).live(replace(ILL, actions=(Push(False), Push(False))), 10)
    story.live(replace(ILL, actions=(Restart(Part.ENGINE),)), 10).live(ILL, 520).live(WELL, 300)
    assert story.told[1].text.splitlines() == [
        "here: over after 10 min",
        "it was: the engine hangs",
        "done: disable in the pool, restart engine (2×)",
        "now: serving",
    ]
    assert (story.told[1].seconds, story.told[1].code) == (600.0, "engine-hung")
    assert story.told[0].episode == story.told[1].episode


def test_observe_mode_says_so():
    story = Story().live(replace(ILL, mode=Mode.OBSERVE), 200).live(replace(WELL, mode=Mode.OBSERVE), 200)
    assert story.kinds == ["opened", "over"]
    for notice in story.told:
        assert "(observe mode: nothing is changed)" in notice.text
        assert notice.mode == "observe"


def test_flapping_is_one_episode():
    story = Story().live(ILL, 150)
    for _ in range(30):
        story.live(WELL, 90).live(ILL, 30)
    assert story.kinds == ["opened"]
    story.live(WELL, 200)
    assert story.kinds == ["opened", "over"]
    assert story.told[1].seconds > 3600


def test_a_host_that_flaps_from_the_beginning_is_ill_once_it_was_so_for_two_minutes_in_all():
    story = Story()
    for _ in range(3):
        story.live(ILL, 30).live(WELL, 90)
    assert story.kinds == []
    for _ in range(3):
        story.live(ILL, 30).live(WELL, 90)
    assert story.kinds == ["opened"]


def test_short_illnesses_with_health_between_are_nobody_s_news():
    story = Story()
    for _ in range(20):
        story.live(ILL, 100).live(WELL, 130)
    assert story.kinds == []
    assert story.episodes.spell is None


def test_another_root_cause_within_an_episode_is_no_new_message():
    story = Story().live(ILL, 300).live(replace(ILL, causes=(GONE,)), 300).live(WARMING, 300).live(WELL, 200)
    assert story.kinds == ["opened", "over"]
    assert story.told[1].root_cause == "the engine hangs"


def test_one_that_comes_to_need_a_person_says_so_once():
    story = Story().live(ILL, 300).live(GRAVE, 60).live(ILL, 60).live(GRAVE, 115)
    assert story.kinds == ["opened"], "not for a moment's label"
    story.live(GRAVE, 600).live(ILL, 600).live(GRAVE, 600).live(WELL, 200)
    assert story.kinds == ["opened", "worse", "over"]
    assert story.told[1].text.startswith("here: needs a person: out, needs-operator")


def test_one_that_opens_with_needing_a_person_has_said_the_worst():
    assert Story().live(GRAVE, 1200).live(WELL, 200).kinds == ["opened", "over"]


def test_a_hold_ends_an_episode_and_begins_none():
    story = Story().live(HELD_OUT, 3600)
    assert story.kinds == []
    story.live(ILL, 200).live(HELD_OUT, 3600)
    assert story.kinds == ["opened", "over"]
    assert story.told[1].text.endswith("now: held by the operator")


def test_time_that_nobody_saw_is_neither_illness_nor_much_of_it():
    story = Story().live(ILL, 5)
    story.clock.second += 7200.0  # suspended
    story.live(ILL, 60)
    assert story.kinds == []
    story.live(ILL, 60)
    assert story.kinds == ["opened"]


def test_an_episode_goes_on_with_the_next_agent_and_over_a_boot():
    story = Story().live(ILL, 60)
    second = Story(spell=story.episodes.spell, clock=story.clock).live(ILL, 70)
    assert second.kinds == ["opened"], "the minute before counts"
    second.clock.reboot(down=600.0)
    third = Story(spell=second.episodes.spell, clock=second.clock).live(WELL, 130)
    assert third.kinds == ["over"]
    assert third.told[0].episode == second.told[0].episode
    assert third.told[0].seconds == pytest.approx(130 + 600 + 5, abs=20)
    lost = Story(spell=replace(second.episodes.spell, since=replace(second.episodes.spell.since, wall="?")))
    assert lost.live(WELL, 130).kinds == ["over"]


def test_a_spell_that_stands_still_is_not_written_again():
    story = Story().live(GRAVE, 600)
    before = story.episodes.spell
    assert story.live(GRAVE, 600).episodes.spell == before


def test_half_a_day_is_said_in_hours():
    story = Story().live(ILL, 12_000).live(WELL, 200)
    assert "over after 3 h 20 min" in story.told[1].text
