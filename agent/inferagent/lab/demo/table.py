"""The table at the end: what happened, what it cost, and what it was allowed to cost."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from inferagent.lab.demo.story import Event
from inferagent.lab.traffic import Traffic
from inferagent.lab.traffic_judge import Outcome, Tally

LEGEND = """\
allowed 0: no request may fail. "until it is out": a host that fails takes with it what was under way and what
the edge still sends there; a request begun after the edge had let the host go must not fail.
causes: status 502, its engine was gone; status 530, its connector was gone; no terminator, a stream was cut;
too slow, no whole answer within its bound, as from an engine that hangs."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event with its requests; `wrong` lists what broke the story."""

    event: Event
    tally: Tally
    wrong: tuple[str, ...]


def rows(events: list[Event], traffic: Traffic) -> list[Row]:
    """Each request belongs to the event during which it ended."""
    return [
        _row(event, [o for o in traffic.outcomes if event.begun <= o.end < event.ended]) for event in events
    ]


def _row(event: Event, outcomes: list[Outcome]) -> Row:
    wrong = list(event.problems)
    limit = event.out_at if event.forgiving and event.out_at is not None else event.begun
    late = [o for o in outcomes if o.cause and (not event.forgiving or o.start > limit)]
    if late:
        said = ", ".join(sorted({f"{o.kind}: {o.cause}" for o in late}))
        when = "after the host was out" if event.forgiving else "where none may"
        wrong.append(f"{len(late)} failed {when} ({said})")
    if not outcomes:
        wrong.append("no request ended")
    return Row(event, Tally.of(outcomes), tuple(wrong))


def show(found: list[Row], screen: Console) -> None:
    table = Table(title="what happened, and what it cost the users", show_lines=False)
    for column in ("event", "what the agent said", "out after", "sent", "failed", "by cause", "allowed"):
        table.add_column(column, overflow="fold")
    for row in found:
        out = "" if row.event.to_out is None else f"{row.event.to_out:.1f} s"
        causes = ", ".join(f"{cause} {count}" for cause, count in row.tally.by_cause.items())
        allowed = "until it is out" if row.event.forgiving else "0"
        failed = str(row.tally.failed) + (" !" if row.wrong else "")
        table.add_row(row.event.title, row.event.said, out, str(row.tally.sent), failed, causes, allowed)
    screen.print(table)
    screen.print(LEGEND, markup=False)
    for row in found:
        for problem in row.wrong:
            screen.print(f"! {row.event.title}: {problem}", markup=False)
