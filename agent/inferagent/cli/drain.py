"""`inferagent drain`: take this host out of the pool, politely, and keep it out."""

from pathlib import Path

import click

from inferagent.cli.options import config_option, hold_duration, leaving_options

PATIENCE = 960.0  # seconds: the default deadline of an operator's drain, and a minute
MARGIN = 60.0
STOPS = 300.0  # what systemd may give an engine to end


@click.command()
@config_option
@click.option(
    "--for",
    "lasts",
    callback=hold_duration,
    metavar="D",
    help="End the hold by itself after so long (30m, 2h).",
)
@click.option("--wait", is_flag=True, help="Return only when it is done, and tell each step.")
@click.option("--stop-engine", is_flag=True, help="Stop the engine when nothing is in flight any more.")
@click.option("--last", is_flag=True, help="Leave even if no other host can answer.")
@leaving_options
def drain(
    folder: Path,
    lasts: float | None,
    wait: bool,
    stop_engine: bool,
    last: bool,
    deadline: float | None,
    reason: str,
    limit: float | None,
) -> None:
    """Take this host out of the pool and keep it out until `inferagent resume`, over reboots too; with --for,
    at most so long.

    Exit code: 0 done (with --wait: the host is out, and with --stop-engine the engine stopped), 1 refused or
    not done in time, 3 the agent cannot be reached.
    """
    from inferagent.cli.follow import Wait
    from inferagent.cli.order import order

    fields: dict[str, object] = {"reason": reason, "stop_engine": stop_engine, "last": last}
    fields |= {"deadline": deadline, "for": lasts}
    stops = STOPS if stop_engine else 0.0
    patience = limit or stops + (PATIENCE if deadline is None else deadline + MARGIN)
    order(folder, "/v1/drain", fields, Wait("out", patience, held=True, down=stop_engine) if wait else None)
