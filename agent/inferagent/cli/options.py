"""What the commands share: --config, durations as options, and how a command ends when it cannot go on."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from inferagent.config.durations import parse_duration
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


def duration(_context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Callback of an option: seconds from a duration as the configuration writes it."""
    if value is None:
        return None
    try:
        seconds = parse_duration(value)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        text = f'"{value}" is no duration: write it like "90s", "5m" or "1h"'
        raise click.BadParameter(text, param=parameter)
    return seconds


def stop(text: str, cure: str = "", code: int = 1) -> NoReturn:
    """Say on stderr why the command ends, with the cure below it."""
    click.echo(f"{text}\n  → {cure}" if cure else text, err=True)
    raise SystemExit(code)
