"""`inferagent demo`: two hosts behind one URL on this machine, surviving drains and faults."""

import click

from inferagent.cli.options import stop


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def demo(arguments: tuple[str, ...]) -> None:
    """Show two hosts behind one URL surviving drains and faults, here, without a GPU or an account."""
    try:
        from inferagent.lab.demo.main import run
    except ModuleNotFoundError as error:
        stop(f"cannot start the demo: {error.name} is not installed", "pip install 'inferagent[lab]'")
    raise SystemExit(run(list(arguments)))
