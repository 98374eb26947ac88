"""Checks of the configuration and the credentials."""

from inferagent.config.errors import ConfigError
from inferagent.config.secrets import FOLDER, TUNNEL_TOKEN
from inferagent.model.desired import Mode
from inferagent.programs.doctor.looks_config import (
    API_SECRET,
    CONFIGURATION,
    SERVICE_TOKEN,
    SUDO,
    TOKEN_TUNNEL,
    settings,
)
from inferagent.programs.doctor.looks_here import STATUS
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.values import mapping
from inferagent.programs.doctor.verdict import (
    CannotTellError,
    Check,
    Hop,
    Outcome,
    fail,
    ok,
    skipped,
    unknown,
    warn,
)

RESTART = "sudo systemctl restart inferagent (or end inferagent run and start it again)"


async def valid(sight: Sight) -> Outcome:
    found = await sight.see(CONFIGURATION)
    if isinstance(found, ConfigError):
        first = found.problems[0]
        more = f" (and {len(found.problems) - 1} more)" if len(found.problems) > 1 else ""
        where = f"{first.key} " if first.key else ""
        return fail(f"{first.place}: {where}{first.what}{more}", first.cure)
    if found.settings is None:
        return fail(f"there is no configuration in {found.folder}", "sudo inferagent setup")
    return ok(f"{found.folder}: {found.settings.membership.kind}, {found.settings.only_engine.kind}")


async def mode(sight: Sight) -> Outcome:
    if (await settings(sight)).mode is Mode.OBSERVE:
        return warn(
            'mode = "observe": the agent watches and changes nothing',
            f'write mode = "act" into {sight.direction.folder}/config.toml, then {RESTART}',
        )
    return ok('mode = "act"')


async def running(sight: Sight) -> Outcome:
    """What is written and what the agent was started with, as far as its status tells."""
    config, status = await settings(sight), mapping(await sight.try_see(STATUS))
    if not status:
        return skipped("the agent does not answer")
    engine, pool = mapping(status.get("engine")), mapping(status.get("membership"))
    pairs = (
        ("mode", str(config.mode), status.get("mode")),
        ("host.name", config.host.name, status.get("host")),
        ("engine[0].kind", str(config.only_engine.kind), engine.get("name")),
        ("membership.kind", str(config.membership.kind), pool.get("kind")),
    )
    other = [
        f'{key} = "{wants}", it runs with "{has}"' for key, wants, has in pairs if has not in (None, wants)
    ]
    if other:
        return warn(f"the agent does not run with what is written: {'; '.join(other)}", RESTART)
    return ok("the agent runs with it, as far as its status tells")


async def api_token(sight: Sight) -> Outcome:
    try:
        await sight.see(API_SECRET)
    except CannotTellError as error:
        return _cannot(error)
    return ok("there, and readable by its owner alone")


async def tunnel_token(sight: Sight) -> Outcome:
    """Its tunnel is compared here, since a token tells it without any call."""
    own = (await settings(sight)).connector.tunnel
    try:
        named = await sight.see(TOKEN_TUNNEL)
    except CannotTellError as error:
        return _cannot(error)
    place = sight.direction.folder / FOLDER / TUNNEL_TOKEN
    if not named:
        return fail(f"{place} does not hold a tunnel's token", "sudo inferagent setup")
    if own and named != own:
        return fail(f"the token is of tunnel {named}, the configuration names {own}", "sudo inferagent setup")
    return ok(f"of tunnel {named}")


async def service_token(sight: Sight) -> Outcome:
    try:
        kept = await sight.see(SERVICE_TOKEN)
    except CannotTellError as error:
        return _cannot(error)
    return (
        ok("a service token for Access is kept") if kept else skipped("no service token for Access is kept")
    )


def _cannot(error: CannotTellError) -> Outcome:
    """Who may not read a secret can tell nothing about it."""
    return unknown(str(error), error.cure) if error.cure == SUDO else fail(str(error), error.cure)


VALID = ("config.valid",)
CHECKS = (
    Check("config.valid", Hop.CONFIGURATION, "the configuration is right", valid),
    Check("config.mode", Hop.CONFIGURATION, "the agent may act", mode, VALID),
    Check("config.running", Hop.CONFIGURATION, "the agent runs with it", running, VALID),
    Check("credentials.api-token", Hop.CREDENTIALS, "the API token is kept safely", api_token, VALID),
    Check("credentials.tunnel-token", Hop.CREDENTIALS, "the tunnel's token fits", tunnel_token, VALID),
    Check("credentials.service-token", Hop.CREDENTIALS, "a token for Access", service_token, VALID),
)
