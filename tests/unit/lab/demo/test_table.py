"""Which request belongs to which event, and when an event broke the story."""

import io

from rich.console import Console

from inferagent.lab.demo.story import Event
from inferagent.lab.demo.table import rows, show
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Outcome


def traffic(*outcomes: tuple[float, float, str]) -> Traffic:
    """Requests by start, end and cause of failure."""
    made = Traffic("http://nobody", "chat", [], 1.0)
    made.outcomes = [Outcome(start, end, "plain", "gpu-a", cause) for start, end, cause in outcomes]
    return made


def strict(**more: object) -> Event:
    return Event("strict", False, begun=0.0, ended=10.0, **more)  # type: ignore[arg-type]


def forgiving(**more: object) -> Event:
    return Event("forgiving", True, begun=10.0, ended=20.0, **more)  # type: ignore[arg-type]


def test_a_request_belongs_to_the_event_in_which_it_ended() -> None:
    asked = traffic((1.0, 9.9, ""), (1.0, 10.0, ""), (9.0, 19.0, ""), (19.0, 20.0, ""), (-2.0, -1.0, ""))
    found = rows([strict(), forgiving(out_at=12.0)], asked)
    assert [row.tally.sent for row in found] == [1, 2]


def test_no_failure_is_allowed_where_nothing_failed() -> None:
    (row,) = rows([strict()], traffic((1.0, 2.0, ""), (1.0, 3.0, "status 502")))
    assert row.wrong == ("1 failed where none may (plain: status 502)",)
    (row,) = rows([strict()], traffic((1.0, 2.0, "")))
    assert row.wrong == ()


def test_a_fault_forgives_what_began_before_the_host_was_out() -> None:
    asked = traffic((9.0, 15.0, "too slow"), (12.0, 13.0, "status 502"), (14.0, 15.0, ""))
    (row,) = rows([forgiving(out_at=12.5)], asked)
    assert (row.wrong, row.tally.failed, row.tally.by_cause) == ((), 2, {"too slow": 1, "status 502": 1})


def test_a_fault_forgives_nothing_that_began_later() -> None:
    asked = traffic((12.0, 13.0, "status 502"), (12.6, 13.0, "status 502"), (12.7, 13.0, "connection"))
    (row,) = rows([forgiving(out_at=12.5)], asked)
    assert row.wrong == ("2 failed after the host was out (plain: connection, plain: status 502)",)


def test_a_host_that_never_was_out_forgives_only_what_began_before_the_event() -> None:
    (row,) = rows([forgiving()], traffic((9.0, 15.0, "too slow"), (11.0, 15.0, "too slow")))
    assert row.wrong == ("1 failed after the host was out (plain: too slow)",)


def test_the_problems_of_an_event_and_silence_break_the_story() -> None:
    (row,) = rows([strict(problems=["not within 30 s"])], traffic())
    assert row.wrong == ("not within 30 s", "no request ended")


def test_the_table_shows_what_it_cost_and_what_broke() -> None:
    screen = Console(file=io.StringIO(), width=160)
    events = [strict(), forgiving(out_at=12.5, said="draining: gone")]
    show(rows(events, traffic((1.0, 2.0, "status 502"), (11.0, 12.0, "connection"))), screen)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "2.5 s" in shown
    assert "connection 1" in shown
    assert "until it is out" in shown
    assert "draining: gone" in shown
    assert "! strict: 1 failed where none may (plain: status 502)" in shown
