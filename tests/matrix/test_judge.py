"""The judge of the matrix sees what is wrong: each of its questions once with a yes and once with a no."""

from dataclasses import dataclass, field

from tests.matrix import judge
from tests.matrix.row import Row
from tests.matrix.watch import Moment

from inferagent.lab.traffic_judge import Outcome


def row(**fields):
    usual = {
        "name": "a-b",
        "fault": "f",
        "injected": "i",
        "strike": "s",
        "does": "leaves",
        "bound": 5,
        "root": ["engine-gone"],
        "loses": "in-flight",
        "repair": "engine",
    }
    return Row.model_validate({**usual, **fields})


def moments(*roots, findings=()):
    return [
        Moment(float(at), True, "serving", root, f"says {root}", findings) for at, root in enumerate(roots)
    ]


def lives(*pids):
    return [
        Moment(float(at), True, mains=(("engine", e), ("connector", c))) for at, (e, c) in enumerate(pids)
    ]


@dataclass
class Played:
    """As much of a stage as the judge asks."""

    row: Row
    ended: list[Outcome] = field(default_factory=list)
    struck: float = 10.0
    out: float | None = 12.0
    back: float | None = 30.0

    def outcomes(self):
        return self.ended


def outcome(start, cause="status 502"):
    return Outcome(start, start + 1, "plain", "struck", cause)


def test_a_cause_that_the_row_does_not_know_is_wrong():
    said = judge.wrong_causes(
        row(also=["engine-restarted"]), moments("engine-gone", "engine-restarted", "no-edge")
    )
    assert said == ["status names no-edge as root cause: says no-edge"]
    assert judge.wrong_causes(row(root=[]), moments("", "")) == []


def test_a_cause_that_was_never_told_is_missed():
    assert judge.untold(row(), moments("", "no-edge"), set()) == [
        "status never named engine-gone; it named no-edge"
    ]
    assert judge.untold(row(), moments("", "engine-gone"), set()) == []
    assert judge.untold(row(), moments("", findings=("engine-gone",)), set()) == []
    assert judge.untold(row(), moments("", "no-edge"), {"engine-gone"}) == []


def test_only_requests_begun_before_it_was_out_may_fail():
    before, after = outcome(11.0), outcome(14.0)
    assert judge.lost(Played(row(), [before])) == []
    assert judge.lost(Played(row(), [before, after])) == ["1 requests failed that may not: status 502"]
    assert judge.lost(Played(row(loses="nothing"), [before])) == [
        "1 requests failed that may not: status 502"
    ]
    assert judge.lost(Played(row(), [outcome(14.0, "")])) == []


def test_without_a_leaving_the_bound_is_the_last_moment():
    assert judge.lost(Played(row(), [outcome(14.0)], out=None)) == []
    assert judge.lost(Played(row(), [outcome(16.0)], out=None)) != []


def test_the_part_that_is_to_be_repaired_has_a_new_life_and_no_other():
    played = Played(row())
    assert judge.lives(played.row, lives((1, 2), (0, 2), (3, 2)), played) == []
    assert judge.lives(played.row, lives((1, 2), (0, 2), (1, 2)), played) == ["the engine was not restarted"]
    assert judge.lives(played.row, lives((1, 2), (3, 4)), played) == ["the connector was restarted"]
    assert judge.lives(row(repair="none"), lives((1, 2), (3, 2)), played) == ["the engine was restarted"]
    assert judge.lives(row(repair="any"), lives((1, 2), (3, 4)), played) == []


def test_a_host_that_must_stay_was_routed_to_at_every_moment():
    away = [Moment(11.0, True), Moment(13.0, False, "serving", "", "serving")]
    assert judge.left(row(does="stays"), away, 10.0) == ["it left after 3.0 s: serving"]
    assert judge.left(row(does="stays"), away[:1], 10.0) == []
    assert judge.left(row(), away, 10.0) == []


def test_where_nobody_else_could_answer_all_before_its_return_may_fail():
    played = Played(row(loses="outage"), [outcome(11.0), outcome(29.0)])
    assert judge.lost(played) == []
    assert judge.lost(Played(row(loses="outage"), [outcome(32.0)])) != []
