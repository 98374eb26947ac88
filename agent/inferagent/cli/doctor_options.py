"""The options that lead doctor elsewhere: to a lab, past a name server, through a proxy's authority."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from inferagent.cli.options import duration

if TYPE_CHECKING:
    from inferagent.programs.doctor.sight import Direction

Command = TypeVar("Command", bound=Callable[..., object])


def _place(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    return None if value is None else _host_port(value, parameter)


def _places(
    _context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    return tuple(_host_port(value, parameter) for value in values)


def _host_port(text: str, parameter: click.Parameter) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise click.BadParameter(f'"{text}" is no HOST:PORT', param=parameter)
    return host.strip("[]"), int(port)


def _resolve(
    _context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, int, str], ...]:
    """As curl takes it; the address may be IPv6, with its colons."""
    found = []
    for value in values:
        host, _, rest = value.partition(":")
        port, _, address = rest.partition(":")
        if not host or not port.isdigit() or not address:
            raise click.BadParameter(f'"{value}" is no HOST:PORT:ADDRESS', param=parameter)
        found.append((host, int(port), address.strip("[]")))
    return tuple(found)


def _public(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    if value:
        from inferagent.config.settings import HOSTNAME

        if re.fullmatch(HOSTNAME, value) is None:
            text = f'"{value}" is no host name: write it like llm.example.com, without https://'
            raise click.BadParameter(text, param=parameter)
    return value


def _authorities(_context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None:
        import ssl

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(value)
        except OSError as error:  # an SSLError is one
            text = f"{value} holds no certificates (PEM): {error.strerror or error}"
            raise click.BadParameter(text, param=parameter) from error
    return value


OPTIONS = (
    click.option(
        "--deadline", callback=duration, default="10s", show_default=True, metavar="D", help="For all of it."
    ),
    click.option(
        "--public",
        default="",
        callback=_public,
        metavar="NAME",
        help="The name that users call. [default: setup's]",
    ),
    click.option(
        "--resolve",
        multiple=True,
        callback=_resolve,
        metavar="HOST:PORT:ADDRESS",
        help="Do not ask for this name's address; repeatable.",
    ),
    click.option("--dns", callback=_place, metavar="HOST:PORT", help="Ask this name server."),
    click.option(
        "--cacert",
        type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
        callback=_authorities,
        help="Trust these authorities.",
    ),
    click.option(
        "--edge",
        multiple=True,
        callback=_places,
        metavar="HOST:PORT",
        help="Where the connector connects to; repeatable. [default: Cloudflare's]",
    ),
    click.option(
        "--https-port", type=click.IntRange(1, 65535), default=443, show_default=True, metavar="PORT"
    ),
    click.option("--root", type=click.Path(path_type=Path, file_okay=False), default="/", hidden=True),
)


def doctor_options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def direction(folder: Path, given: Mapping[str, Any]) -> "Direction":
    from inferagent.programs.doctor.sight import EDGE, Direction

    return Direction(
        folder=folder,
        deadline=given["deadline"],
        public=given["public"],
        resolve=given["resolve"],
        dns=given["dns"],
        https_port=given["https_port"],
        edge=given["edge"] or EDGE,
        ca=given["cacert"],
        root=given["root"],
    )
