"""Sends an order (drain, lend, resume, reload) to the agent and, if asked, follows it to its end."""

from collections.abc import Mapping
from pathlib import Path

import click

from inferagent.cli.again import fuller
from inferagent.cli.client import DEADLINE, Reply, UnreachableError, ask, operator_socket
from inferagent.cli.follow import Wait, follow
from inferagent.cli.options import stop

REFUSED = 1
UNREACHABLE = 3


def order(folder: Path, target: str, fields: Mapping[str, object], wait: Wait | None) -> None:
    """Returns after success, else ends the command: 1 refused or waited in vain, 3 unreachable."""
    path = operator_socket(folder)

    def look() -> Reply:
        return ask(path, "GET", "/v1/status")

    try:
        reply = ask(path, "POST", target, fields, DEADLINE)
    except UnreachableError as error:
        stop(str(error), error.cure, REFUSED if error.forbidden else UNREACHABLE)
    if not reply.ok:
        stop(reply.message, fuller(reply.cure, folder), REFUSED)
    click.echo(reply.message)
    if reply.cure:
        click.echo(f"  → {reply.cure}")
    if wait is not None:
        end = follow(wait, look, click.echo)
        if end.code:
            stop(end.text, fuller(end.cure, folder), end.code)
