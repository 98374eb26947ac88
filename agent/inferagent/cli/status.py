"""`inferagent status`: how this host is, why, and what to do."""

import os
import sys
from pathlib import Path

import click

from inferagent.cli.options import config_option, stop

UNKNOWN = 3  # the agent is unreachable, or cannot tell yet
CODES = frozenset({0, 1, 3, 4})
WATCH_DEADLINE = 2.0  # seconds for one look


def print_schema(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Of every answer of the control sockets; needs no agent."""
    if asked:
        import json

        from inferagent.runtime.schema import schema

        click.echo(json.dumps(schema(), indent=1))
        context.exit()


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the status document as the agent sent it.")
@click.option(
    "--watch", "watching", is_flag=True, help="Show it alive until q; in a pipe, one line a change."
)
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_schema,
    help="Print the JSON schema.",
)
def status(folder: Path, as_json: bool, watching: bool) -> None:
    """Show how this host is, why, and what to do.

    Exit code: 0 as intended, 1 degraded or not yet as intended, 3 the agent cannot be reached or cannot
    tell, 4 out although it should be in; --watch ends with 0.
    """
    from inferagent.cli.client import UnreachableError, ask, control_socket
    from inferagent.cli.render import render

    if as_json and watching:
        raise click.UsageError("--json and --watch exclude each other")
    path = control_socket(folder)
    if watching:
        from inferagent.cli.watch import watch

        watch(lambda: ask(path, "GET", "/v1/status", deadline=WATCH_DEADLINE))
        return
    try:
        reply = ask(path, "GET", "/v1/status")
    except UnreachableError as error:
        stop(str(error), _cure(folder, error.cure), UNKNOWN)
    if not reply.ok:
        stop(reply.message, reply.cure, UNKNOWN)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(reply.text if as_json else render(reply.document, colour=colour), nl=False, color=colour)
    code = reply.document.get("exit_code")
    raise SystemExit(code if code in CODES else UNKNOWN)


def _cure(folder: Path, cure: str) -> str:
    """On a host that nobody has configured, setup comes first."""
    from inferagent.config.errors import ConfigError
    from inferagent.config.fragments import config_files

    try:
        return cure if config_files(folder) else "sudo inferagent setup"
    except ConfigError:
        return cure
