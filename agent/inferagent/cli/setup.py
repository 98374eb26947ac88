"""`inferagent setup`: make this host a member of the endpoint, or undo that; the plan is shown first."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inferagent.cli.options import config_option
from inferagent.cli.setup_request import setup_options

if TYPE_CHECKING:
    from inferagent.model.plan import Plan


@click.command()
@config_option
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", "undo_all", is_flag=True, help="Put everything back that setup changed.")
@click.option("--json", "as_json", is_flag=True, help="Print each line of the plan and of the work as JSON.")
@setup_options
def setup(folder: Path, plan_only: bool, yes: bool, undo_all: bool, as_json: bool, **given: object) -> None:
    """Make this host a member: tunnel, DNS name, pool, monitor, load balancer, configuration.

    Shows a plan and asks before it changes anything; what is there already is taken over; a second run
    finds nothing to do. Exit code: 0 done, shown or nothing to do, 1 refused or failed, 78 the configuration
    that is there is wrong.
    """
    from inferagent.cli.setup_request import request_from
    from inferagent.programs.setup import ask_nobody, run, undo

    def echo(text: str) -> None:
        click.echo(json.dumps({"line": text}) if as_json else text)

    def confirm(_plan: "Plan") -> bool:
        return yes or click.confirm("Do this?", err=as_json)

    def choose(what: str, option: str, choices: tuple[str, ...]) -> str:
        if yes or plan_only:
            return ask_nobody(what, option, choices)
        return str(click.prompt(f"{what}: which one?", type=click.Choice(choices), err=as_json))

    if undo_all:
        if plan_only:
            raise click.UsageError("--plan shows what setup would do; --undo has no plan")
        raise SystemExit(
            undo(
                folder,
                echo=echo,
                api_token_file=_path(given["api_token_file"]),
                state_dir=_path(given["state_dir"]),
                confirm=None if yes else lambda: click.confirm("Put all of that back?", err=as_json),
            )
        )
    request = request_from(folder, given)
    raise SystemExit(run(request, apply=not plan_only, confirm=confirm, echo=echo, choose=choose))


def _path(value: object) -> Path | None:
    return value if isinstance(value, Path) else None
