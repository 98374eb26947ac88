"""`inferagent fault`: the GPU faults that keep this host out, and the operator's word that one is over."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from inferagent.cli.options import config_option, stop

UNKNOWN = 3
LEFT = ("faults.json", "gpu.json")  # by the agent, and by the GPU probe
NOBODY = "neither the agent nor the GPU probe has left a word"
LATER = "sudo inferagent resume, where this host is to serve without a reset"
OFF = "the agent does not run: this is what it and the GPU probe have left"


@click.group()
def fault() -> None:
    """GPU faults: they stay until a reboot, or until you say that they are over."""


@fault.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the list as a document.")
def list_faults(folder: Path, as_json: bool) -> None:
    """Show the GPU faults that stand, with their cures. Works without a running agent too.

    Exit code: 0 shown (whether any stands or not), 3 nobody can tell.
    """
    document = _document(folder)
    click.echo(json.dumps(document) if as_json else _table(document))


@fault.command()
@config_option
@click.argument("gpu", required=False, default="")
@click.option("--all", "every", is_flag=True, help="All faults that stand.")
def clear(folder: Path, gpu: str, every: bool) -> None:
    """Say that the fault of GPU is over: after a reset, or where it was none.

    GPU is its number, its uuid or its PCI address, or "count" for GPUs that vanished. A fault that its
    driver still reports, or that the kernel reports anew, comes back.

    Exit code: 0 cleared, 1 refused, 3 the agent cannot be reached.
    """
    from inferagent.cli.order import order

    if bool(gpu.strip()) is every:  # an empty name would be all of them
        raise click.UsageError("name a GPU, or give --all")
    order(folder, "/v1/fault/clear", {"all": True} if every else {"gpu": gpu}, None)


@fault.command()
@config_option
def reset(folder: Path) -> None:
    """Reset the GPUs, and clear the faults that a reset cures.

    The engine must be stopped and kept so: inferagent drain --stop-engine --wait. All NVIDIA GPUs of this
    host are reset, since those that are linked can only be reset together, and none while anybody uses one:
    then sudo nvidia-smi --gpu-reset -i GPU, and inferagent fault clear GPU.

    Exit code: 0 reset and cleared, 1 refused, 3 the agent cannot be reached.
    """
    import asyncio

    from inferagent.cli.client import UnreachableError
    from inferagent.cli.order import REFUSED, order
    from inferagent.policy.faults import RESET
    from inferagent.ports import PortError
    from inferagent.programs.fault_reset import reset_gpus

    try:  # a reset that nobody can note afterwards is not begun
        rows = _asked(folder)["faults"]
    except UnreachableError as error:
        stop(str(error), error.cure, UNKNOWN)
    gpus = {row["gpu"]: None for row in rows if row["cure"] == RESET}
    if not gpus:
        stop("cannot reset: no fault stands that a reset would cure", "inferagent fault list", REFUSED)
    try:
        said = asyncio.run(reset_gpus())
    except PortError as error:
        stop(str(error), LATER, REFUSED)
    click.echo(said or "the GPUs were reset")
    for gpu in gpus:
        order(folder, "/v1/fault/clear", {"gpu": gpu}, None)


def _document(folder: Path) -> Mapping[str, Any]:
    """The agent's list; of one that does not run, what it and the GPU probe have left."""
    from inferagent.cli.client import UnreachableError, control_socket

    try:
        return _asked(folder)
    except UnreachableError as error:
        if error.forbidden:
            stop(str(error), error.cure, UNKNOWN)
        return _left(control_socket(folder).parent, error.cure)


def _asked(folder: Path) -> Mapping[str, Any]:
    """The agent's own list. UnreachableError."""
    from inferagent.cli.client import ask, control_socket

    reply = ask(control_socket(folder), "GET", "/v1/faults")
    if not reply.ok:
        stop(reply.message, reply.cure, UNKNOWN)
    return reply.document


def _left(run: Path, cure: str) -> Mapping[str, Any]:
    from dataclasses import asdict

    from inferagent.ports import PortError
    from inferagent.programs.fault_files import left_in

    try:
        if not any((run / name).exists() for name in LEFT):
            stop(f"cannot tell whether a GPU fault stands: {NOBODY} in {run}", cure, UNKNOWN)
        document = asdict(left_in(run))
    except OSError as error:
        stop(f"cannot tell whether a GPU fault stands: {error}", cure, UNKNOWN)
    except PortError as error:
        stop(str(error), cure, UNKNOWN)
    click.echo(f"{OFF}\n  → {cure}", err=True)
    return document


def _table(document: Mapping[str, Any]) -> str:
    rows = document["faults"]
    lines = [_row(row) for row in rows] or ["no fault stands"]
    if rows:
        lines.insert(0, f"{'gpu':<14} {'fault':<16} since")
    if document["unread"]:
        lines.append(f"the kernel's log is not read: {document['unread']}")
    return "\n".join(lines)


def _row(row: Mapping[str, Any]) -> str:
    from inferagent.cli.event_text import span

    name = row["gpu"] if row["index"] is None else str(row["index"])
    head = f"{name[:14]:<14} {row['code']:<16} {span(row['seconds'])} ago"
    return f"{head}\n  {row['text']}\n  → {row['cure']}"
