"""`inferagent config check|show`: is the configuration right, and what does it come to."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferagent.cli.options import config_option, stop
from inferagent.config.errors import EXIT_CONFIG, ConfigError

if TYPE_CHECKING:
    from inferagent.config.load import Loaded


@click.group()
def config() -> None:
    """Check or show the configuration."""


@config.command()
@config_option
def check(folder: Path) -> None:
    """Say everything that is wrong with the configuration, each with file, line, key and cure.

    What is right and will hardly work (a program or a group that is not there) is a warning.

    Exit code: 0 right, also with warnings, 78 wrong or not there.
    """
    loaded = load_or_stop(folder)
    if loaded.settings is None:
        stop(f"there is no configuration in {folder}", "sudo inferagent setup", EXIT_CONFIG)
    from inferagent.config.remarks import remarks

    for remark in remarks(loaded):
        click.echo(f"warning: {remark}", err=True)
    click.echo(f"the configuration in {folder} is right")


@config.command()
@config_option
def show(folder: Path) -> None:
    """Print every key that counts, and the file and line that it came from."""
    loaded = load_or_stop(folder)
    lines = [(f"{one.key} = {one.value}", one.origin) for one in loaded.effective]
    width = min(60, max(len(text) for text, _ in lines))
    for text, origin in lines:
        click.echo(f"{text:<{width}}  # {origin}")


def load_or_stop(folder: Path) -> "Loaded":
    """The configuration; a wrong one ends the command with 78."""
    from inferagent.config.load import load

    try:
        return load(folder)
    except ConfigError as error:
        stop(str(error), code=EXIT_CONFIG)
