"""Looks at what setup has left on this host: configuration, credentials, its own record."""

from pathlib import Path

from inferagent.adapters.tunnel.cloudflared import tunnel_of
from inferagent.config.errors import ConfigError
from inferagent.config.load import Loaded, load
from inferagent.config.secrets import API_TOKEN, FOLDER, TUNNEL_TOKEN, Secret, SecretError, read_secret
from inferagent.config.settings import Settings
from inferagent.model.membership import MembershipKind
from inferagent.programs.doctor.sight import Look, Sight
from inferagent.programs.doctor.values import Object
from inferagent.programs.doctor.verdict import CannotTellError, NotHereError
from inferagent.programs.setup.record import Record

TOKEN_FILE = "TUNNEL_TOKEN_FILE"  # noqa: S105 (a variable's name)
SUDO = "sudo inferagent doctor"
ACCESS = {"CF-Access-Client-Id": "access-client-id", "CF-Access-Client-Secret": "access-client-secret"}


async def _loaded(sight: Sight) -> Loaded | ConfigError:
    try:
        return load(sight.direction.folder)
    except ConfigError as error:
        return error


CONFIGURATION = Look("read the configuration", _loaded)


async def loaded(sight: Sight) -> Loaded:
    found = await sight.see(CONFIGURATION)
    if isinstance(found, ConfigError):
        raise CannotTellError("the configuration is wrong", "inferagent config check")
    return found


async def settings(sight: Sight) -> Settings:
    found = (await loaded(sight)).settings
    if found is None:
        raise CannotTellError("nobody has configured this host", "sudo inferagent setup")
    return found


async def _record(sight: Sight) -> Object:
    """{} where setup left none."""
    state = (await loaded(sight)).agent.state
    try:
        return Record(state).header()
    except UnicodeDecodeError as error:
        raise CannotTellError(f"cannot read what setup noted in {state}") from error


SETUP_RECORD = Look("read what setup noted", _record)


async def _api_token(sight: Sight) -> Secret:
    if (await settings(sight)).membership.kind is not MembershipKind.OWN_POOL:
        raise NotHereError("this membership needs no API token on the host")
    return _secret(sight, API_TOKEN)


API_SECRET = Look("read the API token", _api_token)


async def _tunnel_token(sight: Sight) -> str:
    """The id of the tunnel that the token opens; "" where the file holds no token."""
    connector = (await settings(sight)).connector
    own = sight.direction.folder / FOLDER / TUNNEL_TOKEN
    named = Path(dict(connector.environment).get(TOKEN_FILE) or own)
    if named != own:
        return _tunnel_in(named)
    if connector.unit and _maybe(sight, TUNNEL_TOKEN) is None:
        raise NotHereError(f"{connector.unit} keeps its token itself")
    return tunnel_of(_secret(sight, TUNNEL_TOKEN).reveal())


TOKEN_TUNNEL = Look("read the tunnel token", _tunnel_token)


def _tunnel_in(path: Path) -> str:
    try:
        return tunnel_of(path.read_text("ascii", errors="replace"))
    except OSError as error:
        raise CannotTellError(f"cannot read {path}: {error.strerror}", f"sudo ls -l {path}") from error


async def _service_token(sight: Sight) -> dict[str, str]:
    """The headers that carry it; {} where none is kept."""
    kept = {header: _maybe(sight, name) for header, name in ACCESS.items()}
    found = {header: secret.reveal() for header, secret in kept.items() if secret}
    return found if len(found) == len(ACCESS) else {}


SERVICE_TOKEN = Look("read the service token", _service_token)


def _secret(sight: Sight, name: str) -> Secret:
    found = _maybe(sight, name)
    if found is None:
        raise CannotTellError(f"cannot find the credential {name}", "sudo inferagent setup")
    return found


def _maybe(sight: Sight, name: str) -> Secret | None:
    try:
        return read_secret(name, sight.direction.folder, sight.direction.environ)
    except SecretError as error:
        denied = "permission denied" in str(error)
        raise CannotTellError(str(error), SUDO if denied else error.cure) from error
