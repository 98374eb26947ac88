"""`inferagent resume`: end the hold; the host joins again once it has proven that it can answer."""

from pathlib import Path

import click

from inferagent.cli.options import config_option, duration

PATIENCE = 900.0  # seconds


@click.command()
@config_option
@click.option("--wait", is_flag=True, help="Return only when the host serves, and tell each step.")
@click.option("--limit", callback=duration, metavar="D", help="With --wait: give up waiting after so long.")
def resume(folder: Path, wait: bool, limit: float | None) -> None:
    """End a hold: the host joins the pool once it has proven that it can answer.

    Exit code: 0 done (with --wait: the host serves), 1 refused or not serving in time, 3 the agent cannot
    be reached.
    """
    from inferagent.cli.follow import Wait
    from inferagent.cli.order import order

    wanted = Wait("serving", limit or PATIENCE, held=False)
    order(folder, "/v1/resume", {}, wanted if wait else None)
