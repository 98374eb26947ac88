"""`inferagent install`: fetch a part of this host, verify it, and switch to it while the host is out."""

import sys
from pathlib import Path

import click

from inferagent.cli.options import config_option

NAMES = ("cloudflared", "ollama", "vllm")
CLEAR = "\r\x1b[K"


@click.command()
@config_option
@click.argument("name", type=click.Choice(NAMES))
@click.option("--version", metavar="V", help="Which version; without: as install.toml says, else the newest.")
@click.option(
    "--source",
    type=click.Choice(("packages", "release", "venv", "image")),
    help="cloudflared: packages or release. vllm: venv or image.",
)
@click.option("--sha256", metavar="HEX", help="What a cloudflared release must have.")
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
    replaced within a drain. Where parts come from stands in install.toml beside config.toml. Exit code: 0
    done, shown or nothing to do, 1 refused or failed, 78 the configuration is wrong.
    """
    from inferagent.programs.install import Order, Progress, World, run

    given = _given(name, version=version, source=source, sha256=sha256, image=image)
    order = Order(name, folder, given, plan_only=plan_only, rollback=rollback, last=last)
    draw = _draw if sys.stderr.isatty() else None
    world = World(Progress(click.echo, draw), lambda: yes or click.confirm("Do this?"))
    raise SystemExit(run(order, world))


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
