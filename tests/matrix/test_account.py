"""The account by hand: what is asked, changed and counted is the struck host's own."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.matrix import account

from inferagent.lab.demo.world import World, open_world

ENDPOINTS = [{"name": "gpu", "address": "x.cfargotunnel.com"}]


def test_a_word_said_twice_is_no_turn() -> None:
    assert account.turns([]) == 0
    assert account.turns([False, False]) == 1
    assert account.turns([False, True, True, False]) == 3


@asynccontextmanager
async def two_pools(folder: Path) -> AsyncIterator[World]:
    """Two hosts of one load balancer, made by hand; each has a token of its own, and no program runs."""
    async with open_world(folder) as world:
        ids = []
        for name in ("struck", "peer"):
            await world.own_token(world.add(name, "ollama", 50, stand_in=True))
            path = f"/accounts/{world.info['account']}/load_balancers/pools"
            made = await account.by_hand(world, "POST", path, {"name": name, "origins": ENDPOINTS})
            ids.append(made["id"])
        steering = {"default_weight": 1.0, "pool_weights": dict.fromkeys(ids, 0.5)}
        balancer = {"name": world.public_host, "default_pools": ids, "fallback_pool": ids[0]}
        balancer |= {"random_steering": steering}
        await account.by_hand(world, "POST", f"/zones/{world.info['zone']}/load_balancers", balancer)
        yield world


async def test_hands_and_tokens(tmp_path: Path) -> None:
    since = time.time()
    async with two_pools(tmp_path) as world:
        struck, peer = world.hosts
        await account.edit_pool(world, struck, enabled=False)
        assert (await world.pool(struck))["enabled"] is False
        assert (await world.pool(peer))["enabled"] is True
        assert await account.words(world, struck, since) == [], "the word of another hand"
        assert await account.calls(world, struck, since) == []

        token = struck.token
        await account.may_only_read(world, struck)
        assert struck.token != token
        await account.revoke(world, struck)

        await account.delete_pool(world, struck)
        state = await world.ask("GET", "/state")
        (balancer,) = state["load_balancers"].values()
        left = (await world.pool(peer))["id"]
        assert list(state["pools"]) == balancer["default_pools"] == [left]
        assert balancer["fallback_pool"] == left
        assert list(balancer["random_steering"]["pool_weights"]) == [left]


async def test_a_refusal_by_hand_is_said(tmp_path: Path) -> None:
    async with two_pools(tmp_path) as world:
        with pytest.raises(AssertionError, match="by hand: 404"):
            await account.by_hand(world, "GET", f"/accounts/{world.info['account']}/load_balancers/pools/x")
