"""The account as another hand uses it, and what a host's agent asked of it and wrote into it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp

from inferagent.lab.cloudflare.pools import READ
from inferagent.lab.demo.host import Host
from inferagent.lab.demo.world import World


async def by_hand(world: World, method: str, path: str, body: object = None) -> Any:
    """One call with the account's own token, as the dashboard makes it. AssertionError when it is refused."""
    headers = {"Authorization": f"Bearer {_read(Path(world.info['api_token_file']))}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, world.info["api"] + path, json=body) as answer,
    ):
        told = await answer.json()
        assert answer.status == 200, f"{method} {path} by hand: {answer.status} {told['errors']}"
        return told["result"]


async def pool_path(world: World, host: Host) -> str:
    pool = (await world.pool(host))["id"]
    return f"/accounts/{world.info['account']}/load_balancers/pools/{pool}"


async def edit_pool(world: World, host: Host, **fields: object) -> None:
    """Another hand changes the host's pool."""
    await by_hand(world, "PATCH", await pool_path(world, host), fields)


async def delete_pool(world: World, host: Host) -> None:
    """Another hand takes the host's pool out of the load balancer, and deletes it."""
    path = await pool_path(world, host)
    pool = path.rpartition("/")[2]
    (balancer,) = (await world.ask("GET", "/state"))["load_balancers"].values()
    left = [other for other in balancer["default_pools"] if other != pool]
    body: dict[str, object] = {"default_pools": left}
    if balancer["fallback_pool"] == pool:
        body["fallback_pool"] = left[0]
    if steering := balancer.get("random_steering"):
        weights = {key: weight for key, weight in steering["pool_weights"].items() if key != pool}
        body["random_steering"] = {**steering, "pool_weights": weights}
    await by_hand(world, "PATCH", f"/zones/{world.info['zone']}/load_balancers/{balancer['id']}", body)
    await by_hand(world, "DELETE", path)


async def may_only_read(world: World, host: Host) -> None:
    """The host's token keeps its value and loses the right to write."""
    await _change_token(world, host, permissions=[READ, "Load Balancers Read"])


async def revoke(world: World, host: Host) -> None:
    """The host's token is good for nothing any more."""
    await _change_token(world, host, permissions=[], status="disabled")


async def _change_token(world: World, host: Host, **fields: object) -> None:
    changed = {"value": _read(host.token_file), **fields}
    host.token = str((await world.ask("POST", "/tokens", changed))["id"])


async def calls(world: World, host: Host, since: float, method: str = "") -> list[dict[str, Any]]:
    """What the host asked of the API since that second (wall clock), answered or not."""
    seen = await world.ask("GET", "/requests")
    return [
        one
        for one in seen
        if one["token"] == host.token and one["time"] >= since and method in ("", one["method"])
    ]


async def words(world: World, host: Host, since: float) -> list[bool]:
    """Every `enabled` that the host's agent had applied to its pool since that second, the oldest first."""
    path = await pool_path(world, host)
    applied = await world.ask("GET", "/journal")
    ours = [one for one in applied if one["path"] == path and one["token"] == host.token]
    return [bool(one["body"]["enabled"]) for one in ours if one["time"] >= since and "enabled" in one["body"]]


def turns(said: Iterable[bool]) -> int:
    """How often the word changes, the first one counted: a word said twice is no turn."""
    kept: list[bool] = []
    for one in said:
        if kept[-1:] != [one]:
            kept.append(one)
    return len(kept)


def _read(file: Path) -> str:
    return file.read_text().strip()
