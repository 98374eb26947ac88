"""Completes the agent's cures with what only the command knows: the folder, and what the person has typed."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
from click.core import ParameterSource

from inferagent.config.durations import format_duration

OBSERVING = 'mode = "act" in config.toml'  # as the agent says it
RESTART = "sudo systemctl restart inferagent (or end inferagent run and start it again)"
LAST = "--last"


def fuller(cure: str, folder: Path) -> str:
    """A cure that is this very command keeps the options that were given."""
    if cure == OBSERVING:
        return f'write mode = "act" into {folder}/config.toml, then {RESTART}'
    context = click.get_current_context(silent=True)
    if context is None or not f"{cure} ".startswith(f"{context.command_path} "):
        return cure
    words = [context.command_path, *_typed(context)]
    if LAST in cure.split() and LAST not in words:
        words.append(LAST)
    return " ".join(words)


def _typed(context: click.Context) -> Iterator[str]:
    """The options that stood on the command line, so that a shell reads them again."""
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name or "") is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[parameter.name or ""]
        yield parameter.opts[0]
        if not isinstance(value, bool):
            yield shlex.quote(format_duration(value) if isinstance(value, float) else str(value))
