"""`inferagent notify`: who is told when this host falls ill."""

from pathlib import Path

import click

from inferagent.cli.options import config_option


@click.group()
def notify() -> None:
    """Messages about this host."""


@notify.command()
@config_option
def test(folder: Path) -> None:
    """Send a test to every receiver, now, and tell what each answered.

    Exit code: 0 every receiver took it, 1 one did not or there is none, 3 the agent cannot be reached.
    """
    from inferagent.cli.order import order

    order(folder, "/v1/notify/test", {}, None)
