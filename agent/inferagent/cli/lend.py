"""`inferagent lend`: leave the GPU to others for a while, and come back by itself."""

from pathlib import Path

import click

from inferagent.cli.options import config_option, hold_duration, leaving_options

PATIENCE = 1020.0  # seconds: the default deadline of an operator's drain, and what an engine takes to end
MARGIN = 120.0


@click.command()
@config_option
@click.option(
    "--for", "lasts", callback=hold_duration, metavar="D", required=True, help="For so long (90m, 2h)."
)
@click.option("--wait", is_flag=True, help="Return only when the GPU is free, and tell each step.")
@click.option("--last", is_flag=True, help="Lend even if no other host can answer.")
@leaving_options
def lend(
    folder: Path,
    lasts: float,
    wait: bool,
    last: bool,
    deadline: float | None,
    reason: str,
    limit: float | None,
) -> None:
    """Take this host out of the pool, stop its engine and leave the GPU to others: to play, to train.

    It comes back by itself after that time, or at `inferagent resume`, but not while a process is on the GPU
    that was not there when the host last joined. A reboot changes nothing of this.

    Exit code: 0 done (with --wait: the GPU is free), 1 refused or not free in time, 3 the agent cannot be
    reached.
    """
    from inferagent.cli.follow import Wait
    from inferagent.cli.order import order

    fields = {"for": lasts, "reason": reason, "last": last, "deadline": deadline}
    patience = limit or (PATIENCE if deadline is None else deadline + MARGIN)
    order(folder, "/v1/lend", fields, Wait("out", patience, held=True, lent=True) if wait else None)
