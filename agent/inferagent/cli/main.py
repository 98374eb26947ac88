"""The command line. Each command lives in its own file and imports what it needs only when it runs."""

import importlib
import os
import sys
from contextlib import suppress
from traceback import walk_tb
from typing import TextIO

import click

from inferagent import __version__

CANNOT_TELL = 3
# Name → what `inferagent --help` says; the command is the object of that name in the module of that name.
COMMANDS = {
    "setup": "Make this host a member: tunnel, pool, monitor, configuration.",
    "install": "Fetch, verify and switch to cloudflared, Ollama or vLLM.",
    "status": "Show how this host is, why, and what to do.",
    "doctor": "Find what is broken between users and tokens, with its cure.",
    "drain": "Take this host out of the pool and keep it out.",
    "lend": "Leave the GPU to others for a while, and come back by itself.",
    "resume": "End a hold: join again once proven.",
    "events": "Show what changed on this host, when and why.",
    "fault": "Show GPU faults, or say that one is over.",
    "notify": "Send a test message to whoever is told.",
    "config": "Check or show the configuration.",
    "diag": "Pack what others need to help, without secrets.",
    "reload": "Let the running agent take up a changed configuration.",
    "run": "Run the agent in the foreground.",
    "demo": "Show two hosts behind one URL surviving faults.",
}


class _Commands(click.Group):
    """Loads a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"inferagent.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="inferagent", message="%(prog)s %(version)s")
def cli() -> None:
    """Keeps this GPU host in a public inference endpoint only while it can really answer."""


def main() -> None:
    try:
        cli(prog_name="inferagent")
    except (OSError, ExceptionGroup) as error:
        reason = _unwritten(error)
        if not reason:
            raise
        _drop_the_rest(sys.stdout)
        with suppress(OSError):
            click.echo(f"cannot write the answer: {reason}", err=True)
        _drop_the_rest(sys.stderr)
        raise SystemExit(_unsaid(sys.argv[1:])) from error


def _unwritten(error: Exception) -> str:
    """Why the output takes nothing, "" where the error comes from anything but saying something."""
    if isinstance(error, ExceptionGroup):
        return next(filter(None, map(_unwritten, error.exceptions)), "")
    said = any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))
    return (error.strerror or str(error)).lower() if said and isinstance(error, OSError) else ""


def _drop_the_rest(stream: TextIO) -> None:
    """Else Python would try once more at its end, and complain by itself."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        stream.flush()
    except OSError:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


def _unsaid(words: list[str]) -> int:
    """The exit code of a command whose answer nobody got: where 1 is an answer too, "cannot tell"."""
    return CANNOT_TELL if words[:1] in (["status"], ["doctor"]) or words[:2] == ["fault", "list"] else 1


if __name__ == "__main__":
    main()
