"""`inferagent diag`: pack what others need to help with this host, without secrets."""

import os
import time
from pathlib import Path
from shlex import quote
from typing import Any

import click

from inferagent.cli.doctor_options import doctor_options
from inferagent.cli.options import config_option, stop


@click.command()
@config_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to. [default: inferagent-diag-DATE.tar.gz here]",
)
@click.option("--no-logs", is_flag=True, help="Leave out what programs wrote into their logs.")
@click.option("--list", "listing", is_flag=True, help="Say what would be in it, and do nothing.")
@doctor_options
def diag(folder: Path, output: Path | None, no_logs: bool, listing: bool, **given: Any) -> None:
    """Pack status, events, configuration, doctor's report, versions and logs into one file for others.

    Secrets and ids are taken out; MANIFEST.txt says what is in it. Nothing is sent anywhere.

    Exit code: 0 packed, 1 it could not be.
    """
    from inferagent.cli.doctor_options import direction
    from inferagent.ports import PortError
    from inferagent.programs.diag.bundle import pack, wanted

    if listing:
        for member in wanted(logs=not no_logs):
            click.echo(f"{member.name:<14}{member.about}")
        return
    target = output or Path(f"inferagent-diag-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    _refuse(target)
    try:
        packed = pack(direction(folder, given), target, logs=not no_logs)
    except PortError as error:
        stop(str(error), "sudo inferagent diag, or another --output")
    for name, size in packed:
        click.echo(f"{name:<14}{size:>9} bytes")
    click.echo(f"written to {target}; look through it before you give it away")


def _refuse(target: Path) -> None:
    """Before anything is looked at."""
    folder = target.absolute().parent
    if os.path.lexists(target):
        stop(f"cannot write {target}: it is there already", f"rm {quote(str(target))}, or another --output")
    if not folder.is_dir():
        cure = f"mkdir -p {quote(str(folder))}, or another --output"
        stop(f"cannot write {target}: there is no folder {folder}", cure)
    if not os.access(folder, os.W_OK):
        cure = "sudo inferagent diag, or --output in a folder of yours"
        stop(f"cannot write {target}: permission denied in {folder}", cure)
