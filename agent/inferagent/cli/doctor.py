"""`inferagent doctor`: look at every part of the way from a user to a token, and name the broken one."""

import json
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inferagent.cli.doctor_options import doctor_options
from inferagent.cli.options import config_option

if TYPE_CHECKING:
    from inferagent.programs.doctor.report import Report


def _choices(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """For completion: groups and checks, behind what stands before the last comma."""
    from inferagent.programs.doctor.doctor import choices

    before, comma, last = typed.rpartition(",")
    return [f"{before}{comma}{name}" for name in choices() if name.startswith(last)]


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON (schema 1).")
@click.option(
    "--only",
    default="",
    metavar="NAME,…",
    shell_complete=_choices,
    help="These checks alone, by name or by group (config, tunnel, ready-url).",
)
@click.option("--list", "listing", is_flag=True, help="Name every check, and do nothing.")
@click.option("--all", "every", is_flag=True, help="Show what is well by its evidence, too.")
@doctor_options
def doctor(folder: Path, as_json: bool, only: str, listing: bool, every: bool, **given: Any) -> None:
    """Look at every part of the way from a user to a token; name the one that is broken, and its cure.

    Reads only. One short real question goes to the engine, and one by each public name. What only follows
    from a broken part is not shown as broken too.

    Exit code: 0 nothing failed, 1 something did, 3 something could not be told.
    """
    if listing:
        _list()
        return
    report = _report(folder, only, given)
    if as_json:
        click.echo(json.dumps(report.document(), indent=1, ensure_ascii=False))
    else:
        from inferagent.cli.doctor_text import render

        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        click.echo(render(report.document(), colour=colour, every=every), nl=False, color=colour)
    raise SystemExit(report.exit_code)


def _report(folder: Path, only: str, given: dict[str, Any]) -> "Report":
    from inferagent.cli.doctor_options import direction
    from inferagent.programs.doctor.doctor import doctor as examine

    names = [name.strip() for name in only.split(",") if name.strip()]
    try:
        return examine(direction(folder, given), names)
    except ValueError as error:
        from inferagent.programs.doctor.doctor import choices

        known, wrong = choices(), str(error)
        near = get_close_matches(wrong, known, n=1)
        meant = f"; do you mean {near[0]}?" if near else ""
        groups = ", ".join(name for name in known if "." not in name)
        text = f"there is no check or group {wrong}{meant}\n  groups: {groups}"
        raise click.UsageError(f"{text}\n  checks: inferagent doctor --list") from error


def _list() -> None:
    from inferagent.programs.doctor.doctor import names

    for name, hop, title in names():
        click.echo(f"{name:<26}{hop:<16}{title}")
