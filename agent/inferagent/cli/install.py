"""`inferagent install`: fetch a part of this host, verify it, and switch to it while the host is out."""

import re
import shlex
import sys
from pathlib import Path

import click
from click.core import ParameterSource

from inferagent.cli.options import config_option

NAMES = ("cloudflared", "ollama", "vllm")
# What says something about a part, and where it may come from.
OPTIONS = {"cloudflared": ("version", "source", "sha256"), "ollama": ("version",)}
OPTIONS["vllm"] = ("version", "source", "image")
SOURCES = {"cloudflared": ("packages", "release"), "vllm": ("venv", "image")}
CLEAR = "\r\x1b[K"
TYPED = f"{__name__}.typed"


class _Repeated(click.Command):
    """Keeps what was typed: whoever has to type it again is to find all of it in the cure."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)


def _version(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    from inferagent.config.sources import NUMBERED

    if value is not None and re.fullmatch(NUMBERED, value) is None:
        raise click.BadParameter(
            f"must begin with a digit, such as 1.2.3, not '{value}' → leave --version out for the usual one"
        )
    return value


def _sha256(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    from inferagent.config.sources import SHA256

    if value is not None and re.fullmatch(SHA256, value) is None:
        raise click.BadParameter(f"must be 64 hex digits, not '{value}'")
    return value


@click.command(cls=_Repeated)
@config_option
@click.argument("name", type=click.Choice(NAMES))
@click.option(
    "--version",
    metavar="V",
    callback=_version,
    help="Which version, such as 1.2.3; without: as install.toml says, else the newest.",
)
@click.option(
    "--source",
    type=click.Choice(("packages", "release", "venv", "image")),
    help="cloudflared: packages or release. vllm: venv or image.",
)
@click.option("--sha256", metavar="HEX", callback=_sha256, help="What a cloudflared release must have.")
@click.option("--image", metavar="NAME@sha256:HEX", help="A vLLM container image by its digest.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--rollback", is_flag=True, help="Go back to the version before.")
@click.option("--last", is_flag=True, help="Take this host out even if no other can answer meanwhile.")
def install(
    folder: Path,
    name: str,
    version: str | None,
    source: str | None,
    sha256: str | None,
    image: str | None,
    plan_only: bool,
    yes: bool,
    rollback: bool,
    last: bool,
) -> None:
    """Install or upgrade a part of this host: cloudflared, ollama or vllm.

    Everything is fetched and verified before anything is replaced. A part that the running agent uses is
    replaced within a drain. Where parts come from stands in install.toml beside config.toml; all its keys
    with their defaults: /usr/share/inferagent/install.toml. Exit code: 0 done, shown or nothing to do, 1
    refused or failed, 2 the command line is wrong, 78 the configuration is wrong.
    """
    from inferagent.programs.install import Order, Progress, World, run

    options = {"version": version, "source": source, "sha256": sha256, "image": image}
    _check(name, options)
    order = Order(
        name,
        folder,
        _given(name, **options),
        plan_only=plan_only,
        rollback=rollback,
        last=last,
        typed=_typed(folder),
    )
    draw = _draw if sys.stderr.isatty() else None
    world = World(Progress(click.echo, draw), lambda: yes or click.confirm("Do this?"))
    raise SystemExit(run(order, world))


def _check(name: str, options: dict[str, str | None]) -> None:
    for key, value in options.items():
        if value is not None and key not in OPTIONS[name]:
            raise click.UsageError(f"{name} has no --{key}")
    source = options["source"]
    if source and source not in SOURCES[name]:
        raise click.UsageError(f"{name} has no --source {source}: {' or '.join(SOURCES[name])}")


def _typed(folder: Path) -> str:
    """All after `install`; sudo drops the environment, so that a folder named there is spelt out."""
    context = click.get_current_context()
    words = context.meta[TYPED]
    if context.get_parameter_source("folder") is ParameterSource.ENVIRONMENT:
        words = (*words, "--config", str(folder))
    return shlex.join(words)


def _draw(text: str) -> None:
    click.echo(f"{CLEAR}{text}", err=True, nl=False)


def _given(name: str, **options: str | None) -> dict[str, object]:
    """As install.toml would say it."""
    table: dict[str, object] = {key: value for key, value in options.items() if value is not None}
    if "sha256" in table:
        from inferagent.programs.install import Host

        table["sha256"] = {Host().architecture: table["sha256"]}
    if name == "vllm" and options["image"] and not options["source"]:
        table["source"] = "image"
    if name == "cloudflared" and options["sha256"] and not options["source"]:
        table["source"] = "release"
    return {name: table} if table else {}
