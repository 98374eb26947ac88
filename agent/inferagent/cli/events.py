"""`inferagent events`: what changed on this host, when and why; also while no agent runs."""

from collections import Counter
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferagent.cli.options import config_option, duration, stop

if TYPE_CHECKING:
    from inferagent.cli.event_log import Line, Tail

LINES = 50
EVER = 10 * 365 * 86400.0  # seconds; older than any event, and still a date


@click.command()
@config_option
@click.option(
    "--since", callback=duration, metavar="D", help="Only what is not older than this (90s, 2h, 7d)."
)
@click.option(
    "-n", "--lines", type=click.IntRange(min=1), metavar="N", help=f"The last N.  [default: {LINES}]"
)
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with what comes.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they stand in the file.")
@click.option("--would", is_flag=True, help="In observe mode: what would have been done.")
def events(
    folder: Path, since: float | None, lines: int | None, following: bool, as_json: bool, would: bool
) -> None:
    """Show what changed on this host, when and why, the newest last; also while no agent runs.

    Exit code: 0 done, 1 there is nothing to read, 78 the configuration is wrong.
    """
    from inferagent.cli.event_log import Tail

    if would and (lines or following or as_json):
        raise click.UsageError("--would goes with --since alone")
    state = _state(folder)
    after = None if since is None else datetime.now().astimezone() - timedelta(seconds=min(since, EVER))
    if would:
        _would(folder, _read(state), after)
        return
    with closing(Tail(state)) as tail:  # first: what comes while the rest is read is not missed
        found = _read(state)
        chosen = [line for line in found if _counts(line, after, as_json)]
        _say(chosen if since and not lines else chosen[-(lines or LINES) :], as_json)
        if after is not None and not chosen and not as_json:
            click.echo(nothing_since(found, after), err=True)
        _torn(found)
        if following:
            _follow(tail, found, as_json)


def _read(state: Path) -> "list[Line]":
    from inferagent.cli.event_log import UnreadableError, read

    try:
        return read(state)
    except UnreadableError as error:
        stop(str(error), error.cure)


def _follow(tail: "Tail", found: "list[Line]", as_json: bool) -> None:
    from inferagent.cli.event_log import follow

    already = {line.text for line in found[-LINES:]}
    with suppress(KeyboardInterrupt):
        follow(tail, lambda line: None if line.text in already else _say([line], as_json))


def _would(folder: Path, found: "list[Line]", after: datetime | None) -> None:
    from inferagent.cli.would import summary

    known = [line.event for line in found if line.event is not None]
    text = summary(known, _running(folder, found), after)
    if not text:
        stop("cannot say what would have been done: nothing was observed", 'mode = "observe" in config.toml')
    click.echo("\n".join(text))
    _torn(found)


def _state(folder: Path) -> Path:
    from inferagent.config.errors import EXIT_CONFIG, ConfigError
    from inferagent.config.fragments import read_input

    try:
        agent = read_input(folder).data["agent"]
    except ConfigError as error:
        stop(str(error), code=EXIT_CONFIG)
    state = agent.get("state") if isinstance(agent, dict) else None
    if not isinstance(state, str):
        stop("cannot tell where the state is: agent.state is no text", "inferagent config check", EXIT_CONFIG)
    return Path(state)


def _counts(line: "Line", after: datetime | None, everything: bool) -> bool:
    from inferagent.cli.event_text import moment_of, shown

    if line.event is None or not (everything or shown(line.event)):
        return False
    moment = moment_of(line.event.wall)
    return after is None or moment is None or moment >= after


def _say(lines: "list[Line]", as_json: bool) -> None:
    from inferagent.cli.event_text import line_of, shown

    before = None
    for line in lines:
        if line.event is not None and as_json:
            click.echo(line.text)
        elif line.event is not None and shown(line.event):
            click.echo(line_of(line.event, before))
        before = line.event


def nothing_since(found: "list[Line]", after: datetime) -> str:
    """So that nobody takes silence for a failure; with the last thing that did happen."""
    from inferagent.cli.event_text import line_of, shown

    said = f"nothing happened since {after:%Y-%m-%d %H:%M:%S}"
    last = next((line.event for line in reversed(found) if line.event and shown(line.event)), None)
    return f"{said}; before that:\n  {line_of(last)}" if last else said


def _torn(found: "list[Line]") -> None:
    """How many lines of which file could not be read."""
    torn = Counter(line.file for line in found if line.event is None)
    for file, count in torn.items():
        noun = "line" if count == 1 else "lines"
        click.echo(
            f"{count} {noun} of {file} could not be read: a power cut or a full disk leaves such", err=True
        )


def _running(folder: Path, found: "list[Line]") -> float:
    """Seconds that an agent that runs now has observed since it last noted so."""
    from inferagent.cli.client import UnreachableError, ask, control_socket
    from inferagent.cli.would import observing

    try:
        document = ask(control_socket(folder), "GET", "/v1/status").document
    except UnreachableError:
        return 0.0
    if document.get("mode") != "observe":
        return 0.0
    known = [line.event for line in found if line.event is not None]
    return observing(known, str(document.get("boot")), datetime.now().astimezone())
