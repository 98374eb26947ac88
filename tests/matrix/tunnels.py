"""What a person does to tunnels at the dashboard, and where a host keeps what it knows of its own."""

import base64
import json
import tomllib
from pathlib import Path
from typing import Any

from tests.matrix.account import by_hand

from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World

Rules = list[dict[str, Any]]


async def ingress(world: World, tunnel: str) -> Rules:
    """The rules of the tunnel's configuration, as the account has them."""
    found = await by_hand(world, "GET", configuration_path(world, tunnel))
    rules: Rules = found["config"]["ingress"]
    return rules


async def put_ingress(world: World, tunnel: str, rules: Rules) -> None:
    await by_hand(world, "PUT", configuration_path(world, tunnel), {"config": {"ingress": rules}})


def configuration_path(world: World, tunnel: str) -> str:
    return f"{_all(world)}/{tunnel}/configurations"


async def rotate(world: World, tunnel: str, secret: str) -> None:
    """A new secret (base64): the tokens that were told before are worth nothing from now on."""
    await by_hand(world, "PATCH", f"{_all(world)}/{tunnel}", {"tunnel_secret": secret})


async def make_tunnel(world: World, name: str, rules: Rules) -> str:
    """The token of a new tunnel with these rules."""
    made = await by_hand(world, "POST", _all(world), {"name": name, "config_src": "cloudflare"})
    await put_ingress(world, made["id"], rules)
    return str(made["token"])


async def make_hostname(world: World, label: str, tunnel: str) -> str:
    """One more public hostname of that tunnel; without a rule of its own it is answered 404."""
    name = f"{label}.{world.info['zone_name']}"
    body = {"type": "CNAME", "name": name, "content": f"{tunnel}.cfargotunnel.com", "proxied": True, "ttl": 1}
    await by_hand(world, "POST", f"/zones/{world.info['zone']}/dns_records", body)
    return name


def tunnel_of(host: Host) -> str:
    """The tunnel that setup wrote into the host's configuration."""
    return str(tomllib.loads((host.config / "config.toml").read_text())["connector"]["tunnel"])


def token_file(host: Host) -> Path:
    """Where setup put the tunnel's token."""
    return host.config / "credentials" / "tunnel-token"


def secret_in(token: str) -> str:
    """The tunnel's secret (base64), which its token carries."""
    return str(json.loads(base64.b64decode(token.strip()))["s"])


def _all(world: World) -> str:
    return f"/accounts/{world.info['account']}/cfd_tunnel"
