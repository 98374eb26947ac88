"""What the commands share: --config, durations as options, and how a command ends when it cannot go on."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from inferagent.config.durations import format_duration, parse_duration
from inferagent.config.fragments import DEFAULT_FOLDER

Command = TypeVar("Command", bound=Callable[..., object])

config_option: Callable[[Command], Command] = click.option(
    "--config",
    "folder",
    envvar="INFERAGENT_CONFIG",
    default=DEFAULT_FOLDER,
    show_default=True,
    show_envvar=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    callback=lambda _context, _parameter, value: value.absolute(),
    help="The folder that holds config.toml and conf.d/.",
)


Callback = Callable[[click.Context, click.Parameter, str | None], float | None]


def duration_of(least: float = 0.0, most: float = math.inf) -> Callback:
    """Callback of an option: seconds from a duration as the configuration writes it, within these bounds."""

    def read(_context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
        if value is None:
            return None
        wrong = _wrong(value, least, most)
        if wrong:
            raise click.BadParameter(f'"{value}" {wrong}', param=parameter)
        return parse_duration(value)

    return read


def _wrong(value: str, least: float, most: float) -> str:
    """What is wrong with a duration, "" for nothing; a negative one is a number too."""
    try:
        seconds = parse_duration(value.removeprefix("-"))
    except ValueError:
        return 'is no duration: write it like "90s", "5m" or "1h"'
    if value.startswith("-") or seconds <= 0:
        return "is too short: it must be longer than 0"
    if seconds < least:
        return f"is too short: at least {format_duration(least)}"
    return f"is too long: at most {format_duration(most)}" if seconds > most else ""


duration = duration_of()
hold_duration = duration_of(least=1.0, most=366 * 86400.0)  # bounds as the agent has them
drain_duration = duration_of(most=86400.0)


def stop(text: str, cure: str = "", code: int = 1) -> NoReturn:
    """Say on stderr why the command ends, with the cure below it."""
    click.echo(f"{text}\n  → {cure}" if cure else text, err=True)
    raise SystemExit(code)


_LEAVING = (
    click.option(
        "--deadline",
        callback=drain_duration,
        metavar="D",
        help="Give requests in flight so long to end (90s, 15m).",
    ),
    click.option("--reason", default="", metavar="TEXT", help="Why, for those who read status later."),
    click.option(
        "--limit", callback=duration, metavar="D", help="With --wait: give up waiting after so long."
    ),
)


def leaving_options(command: Command) -> Command:
    """What every command that makes this host leave takes: --deadline, --reason and --limit."""
    for option in reversed(_LEAVING):
        command = option(command)
    return command
