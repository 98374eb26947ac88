"""`inferagent demo`: two hosts behind one URL on this machine, surviving drains and faults."""

from pathlib import Path

import click

from inferagent.cli.options import stop


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep configuration and logs in this folder.",
)
def demo(keep: Path | None) -> None:
    """Show two hosts behind one URL surviving drains and faults, here, without a GPU or an account.

    Exit code: 0 the story held, 1 it did not.
    """
    try:
        from inferagent.lab.demo.main import run
    except ModuleNotFoundError as error:
        cure = "in a clone of the project: make demo, or pip install '.[lab]'"
        stop(f"cannot start the demo: {error.name} is not installed", cure)
    raise SystemExit(run(keep))
