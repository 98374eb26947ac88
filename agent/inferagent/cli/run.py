"""`inferagent run`: the agent itself, in the foreground."""

import os
from pathlib import Path

import click

from inferagent.cli.config import load_or_stop
from inferagent.cli.options import config_option, stop


@click.command()
@config_option
def run(folder: Path) -> None:
    """Run the agent in the foreground until it is told to stop.

    Exit code: 0 stopped in order, 1 it cannot start, 78 the configuration is wrong. A host that nobody has
    configured yet is no error: the agent says so, waits, and takes the configuration that setup writes.
    """
    from inferagent.programs.daemon import CONFIGURED
    from inferagent.programs.helpers import VARIABLE

    while (code := _run(folder)) == CONFIGURED:
        if os.environ.get(VARIABLE) == "systemd":  # which gives the next one the credentials
            raise SystemExit(0)
    raise SystemExit(code)


def _run(folder: Path) -> int:
    loaded = load_or_stop(folder)
    if loaded.settings is None:
        click.echo(
            f"unconfigured: there is no configuration in {folder}\n  → sudo inferagent setup", err=True
        )
    from inferagent.programs.daemon import run as run_daemon
    from inferagent.runtime.control import ControlError

    try:
        return run_daemon(loaded)
    except ControlError as error:
        stop(str(error), error.cure)
