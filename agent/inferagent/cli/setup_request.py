"""The options of `inferagent setup`, and the request that they make."""

import shlex
import socket
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from inferagent.programs.setup import SetupRequest

Command = TypeVar("Command", bound=Callable[..., object])

ENGINES = ("vllm", "ollama")
MEMBERSHIPS = ("own-pool", "pull", "replica")
PORTS = {"vllm": "http://127.0.0.1:8000", "ollama": "http://127.0.0.1:11434"}  # where each listens by itself
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
COMMAND = "Or the command that runs it; with --engine-image: what stands after the image."
IMAGE = "Or an image to make one from: docker pull it first, and name it by its digest, not by a tag."

OPTIONS = (
    click.option("--public", default="", metavar="NAME", help="The hostname that users call."),
    click.option("--host", default="", metavar="NAME", help="This host's name. [default: its own]"),
    click.option("--membership", type=click.Choice(MEMBERSHIPS), default="own-pool", show_default=True),
    click.option("--api-token-file", type=_FILE, help="A file with a Cloudflare API token; never the token."),
    click.option("--engine", type=click.Choice(ENGINES), help="What answers on this host."),
    click.option(
        "--engine-url", default="", metavar="URL", help="Where it listens. [default: its usual port]"
    ),
    click.option("--engine-unit", default="", metavar="UNIT", help="The systemd unit that runs it."),
    click.option("--engine-command", default="", metavar="WORDS", help=COMMAND),
    click.option(
        "--engine-container", default="", metavar="NAME", help="Or the docker container that it runs in."
    ),
    click.option("--engine-image", default="", metavar="NAME@sha256:SUM", help=IMAGE),
    click.option(
        "--engine-volume", multiple=True, metavar="HOST:CONTAINER", help="A folder for that one; repeatable."
    ),
    click.option("--engine-env", multiple=True, metavar="NAME=VALUE", help="For that command; repeatable."),
    click.option("--serves", multiple=True, metavar="PUBLIC=MODEL", help="A public model name; repeatable."),
    click.option("--gpus", default="all", show_default=True, metavar="0,1", help="The GPUs that it uses."),
    click.option("--connector-unit", default="", metavar="UNIT", help="The systemd unit of cloudflared."),
    click.option("--connector-command", default="", metavar="WORDS", help="Or the command that runs it."),
    click.option(
        "--connector-env", multiple=True, metavar="NAME=VALUE", help="For that command; repeatable."
    ),
    click.option(
        "--metrics", default="127.0.0.1:20241", show_default=True, metavar="ADDRESS", help="Of cloudflared."
    ),
    click.option(
        "--hostname", default="", metavar="NAME", help="This host's own hostname. [default: HOST.ZONE]"
    ),
    click.option("--zone", default="", metavar="NAME", help="The zone. [default: that of --public]"),
    click.option("--account", default="", metavar="ID", help="The account, where the token opens several."),
    click.option("--tunnel", default="", metavar="NAME", help="The tunnel to make or take over."),
    click.option("--pool", default="", metavar="NAME", help="The pool to make or take over."),
    click.option("--weight", type=click.IntRange(0, 100), metavar="PERCENT", help="This host's share."),
    click.option(
        "--monitor-interval", type=click.IntRange(1, 3600), metavar="SECONDS", help="Of the monitor."
    ),
    click.option(
        "--ready-port", type=click.IntRange(1, 65535), default=8790, show_default=True, metavar="PORT"
    ),
    click.option("--pool-limit", type=click.IntRange(2, 10000), metavar="N", help="Pools of your plan."),
    click.option("--take-over", is_flag=True, help="Take a pool over that another machine set up."),
    click.option(
        "--keep-token", is_flag=True, help="Leave a token in the command line of the connector that is there."
    ),
    click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any other key; repeatable."),
    click.option("--state-dir", type=_FOLDER, metavar="DIR", help="[agent] state"),
    click.option("--run-dir", type=_FOLDER, metavar="DIR", help="[agent] run"),
    click.option("--api", default="", metavar="URL", hidden=True),
)


def setup_options(command: Command) -> Command:
    """Add every option of a request to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def request_from(folder: Path, given: Mapping[str, Any]) -> "SetupRequest":
    """The request; a usage error for what cannot be one."""
    from inferagent.model.desired import EngineKind
    from inferagent.model.membership import MembershipKind
    from inferagent.programs.setup import ConnectorRequest, EngineRequest, SetupRequest
    from inferagent.programs.setup.request import LIKE, is_hostname

    _need(given)
    if not is_hostname(given["public"]):
        raise click.UsageError(f"cannot use --public {given['public']!r}: {LIKE}")
    engine = EngineRequest(
        kind=EngineKind(given["engine"]),
        url=(given["engine_url"] or PORTS[given["engine"]]).rstrip("/"),
        serves=tuple(_served(text) for text in given["serves"]),
        command=_words("--engine-command", given["engine_command"]),
        unit=given["engine_unit"],
        environment=_pairs("--engine-env", given["engine_env"]),
        gpus=given["gpus"],
        container=given["engine_container"],
        image=given["engine_image"],
        volumes=given["engine_volume"],
    )
    connector = ConnectorRequest(
        command=_words("--connector-command", given["connector_command"]),
        unit=given["connector_unit"],
        environment=_pairs("--connector-env", given["connector_env"]),
        metrics=given["metrics"],
    )
    plain = ("public", "hostname", "zone", "account", "tunnel", "pool", "weight", "ready_port")
    flags = ("take_over", "keep_token")
    chosen = ("api_token_file", "monitor_interval", "pool_limit", "state_dir", "run_dir", "api")
    return SetupRequest(
        host=given["host"] or socket.gethostname().partition(".")[0].lower(),
        engine=engine,
        connector=connector,
        membership=MembershipKind(given["membership"]),
        config_dir=folder,
        settings=tuple(_setting(text) for text in given["settings"]),
        **{name: given[name] for name in (*plain, *flags)},
        **{name: _whole(given[name]) for name in chosen if given[name] is not None and given[name] != ""},
    )


def _need(given: Mapping[str, Any]) -> None:
    if not given["public"]:
        raise click.UsageError("say which hostname users call: --public chat.example.com")
    if not given["engine"]:
        raise click.UsageError("say what answers on this host: --engine vllm or --engine ollama")
    if not given["serves"]:
        raise click.UsageError("say what it serves: --serves chat=MODEL")


def _whole(value: Any) -> Any:
    return value.absolute() if isinstance(value, Path) else value


def _served(text: str) -> tuple[str, str]:
    """ "chat=Qwen/Qwen3-8B"; "chat" alone is its own name in the engine."""
    public, equals, own = text.partition("=")
    if not public or (equals and not own):
        raise click.UsageError(f'cannot read --serves {text}: write it like "chat=llama3:8b"')
    return public, own or public


def _words(option: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise click.UsageError(f"cannot read {option}: a quote is not closed") from error


def _pairs(option: str, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = tuple(text.partition("=") for text in texts)
    if not all(name and equals for name, equals, _ in pairs):
        raise click.UsageError(f"cannot read {option}: write it like NAME=VALUE")
    return tuple((name, value) for name, _, value in pairs)


def _setting(text: str) -> tuple[str, str | int | float | bool]:
    """ "drain.settle=5s", "probe.falls=3": numbers and true or false as in TOML, anything else is a text."""
    key, equals, written = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f'cannot read --set {text}: write it like "drain.settle=5s"')
    try:
        value = tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written
    if not isinstance(value, str | int | float | bool):
        raise click.UsageError(f"cannot set {key}: only a text, a number, true or false (no list, no table)")
    return key, value
