"""`inferagent reload`: let the running agent take up a changed configuration."""

from pathlib import Path

import click

from inferagent.cli.options import config_option


@click.command()
@config_option
def reload(folder: Path) -> None:
    """Let the running agent read its configuration again.

    What can be applied at once is; what needs a restart of the agent is named. A configuration with an error
    changes nothing.

    Exit code: 0 done, 1 refused, 3 the agent cannot be reached.
    """
    from inferagent.cli.order import order

    order(folder, "/v1/reload", {}, None)
