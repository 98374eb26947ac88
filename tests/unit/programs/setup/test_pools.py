"""Pools and monitor: bodies of new ones, and differences of existing ones."""

from dataclasses import replace
from typing import Any

import pytest

from inferagent.programs.setup.pools import fallback_pool, monitor, own_pool, pools_to_make, shared_pool
from inferagent.programs.setup.request import SetupRequest

IDS = {"tunnel": "t", "monitor": "m"}
MINE = {
    "name": "gpu-a",
    "address": "t.cfargotunnel.com",
    "enabled": True,
    "header": {"Host": ["gpu-a.example.com"]},
}
THEIRS = {"name": "gpu-b", "address": "b.cfargotunnel.com", "enabled": False, "disabled_at": "then"}


def as_shown(body: dict[str, Any]) -> dict[str, Any]:
    """As the API gives back what it got."""
    endpoints = [{"weight": 1.0, **entry} for entry in body.get("origins", [])]
    return {"id": "p", **body, "modified_on": "now", **({"origins": endpoints} if endpoints else {})}


def test_a_new_pool_of_ones_own_is_disabled(plain: SetupRequest) -> None:
    wanted = own_pool(plain, "a", "0f" * 8)
    body = wanted.make(IDS)
    assert body["enabled"] is False
    assert (body["origins"], body["monitor"]) == ([MINE], "m")
    assert body["description"] == "inferagent machine=0f0f0f0f0f0f0f0f serves=chat"
    assert wanted.change(as_shown(body), IDS) == {}


def test_an_existing_pool_keeps_enabled_and_its_endpoint_its_weight(plain: SetupRequest) -> None:
    old = {
        "name": "old",
        "address": "1.2.3.4",
        "enabled": False,
        "weight": 0.3,
        "disabled_at": "then",
        "port": 8,
    }
    fields = own_pool(plain, "a", "m").change({"enabled": True, "origins": [old], "monitor": "m"}, IDS)
    assert "enabled" not in fields
    assert fields["origins"] == [
        {
            "name": "old",
            "address": MINE["address"],
            "enabled": False,
            "header": MINE["header"],
            "weight": 0.3,
            "port": 8,
        }
    ]


def test_a_pool_that_leads_to_an_earlier_tunnel_is_changed(plain: SetupRequest) -> None:
    wanted = own_pool(plain, "a", "m")
    shown = as_shown(wanted.make(IDS))
    assert list(wanted.change(shown, {**IDS, "tunnel": "new"})) == ["origins"]
    assert list(wanted.change(shown, {"tunnel": "t"})) == ["monitor"]


@pytest.mark.parametrize("make", [fallback_pool, shared_pool])
def test_a_host_joins_the_others(plain: SetupRequest, make: Any) -> None:
    wanted = make(plain, "a")
    alone = as_shown(wanted.make(IDS))
    assert wanted.change(alone, IDS) == {}
    fields = wanted.change({**alone, "origins": [THEIRS]}, IDS)
    clean = {key: value for key, value in THEIRS.items() if key != "disabled_at"}
    assert fields["origins"][0] == clean
    assert fields["origins"][1] == MINE
    assert wanted.parts(IDS)["origins"] == [MINE]


def test_a_host_with_a_new_tunnel_replaces_its_old_endpoint(plain: SetupRequest) -> None:
    wanted = fallback_pool(plain, "a")
    shown = as_shown(wanted.make(IDS))
    (entry,) = wanted.change(shown, {**IDS, "tunnel": "new"})["origins"]
    assert entry["address"] == "new.cfargotunnel.com"


def test_the_fallback_pool_has_no_monitor_and_is_enabled_again(plain: SetupRequest) -> None:
    wanted = fallback_pool(plain, "a")
    body = wanted.make(IDS)
    assert "monitor" not in body
    assert wanted.change({**as_shown(body), "enabled": False}, IDS) == {"enabled": True}


def test_weights_of_a_shared_pool_are_its_endpoints(plain: SetupRequest) -> None:
    wanted = shared_pool(replace(plain, weight=20), "a")
    assert wanted.make(IDS)["origins"][0]["weight"] == 0.2
    other = shared_pool(replace(plain, weight=30), "a")
    assert other.change(as_shown(wanted.make(IDS)), IDS)["origins"][0]["weight"] == 0.3
    assert shared_pool(plain, "a").change(as_shown(wanted.make(IDS)), IDS) == {}


@pytest.mark.parametrize("interval", [2, 15, 60, 3600])
def test_all_tries_of_a_look_end_before_the_next(plain: SetupRequest, interval: int) -> None:
    body = monitor(replace(plain, monitor_interval=interval), "a").make({})
    assert body["interval"] == interval
    assert body["timeout"] * (body["retries"] + 1) <= interval
    assert body["timeout"] >= 1


def test_a_monitor_keeps_its_interval_unless_asked(plain: SetupRequest) -> None:
    kept = monitor(replace(plain, monitor_interval=15), "a").make({})
    assert monitor(plain, "a").change(kept, {}) == {}
    assert monitor(replace(plain, monitor_interval=60), "a").change(kept, {})["interval"] == 60
    assert monitor(plain, "a").change({**kept, "path": "/v1/models"}, {}) == {"path": "/.inferagent/ready"}


def test_how_many_pools_are_still_to_make(plain: SetupRequest) -> None:
    assert pools_to_make(plain, set()) == 2
    assert pools_to_make(plain, {plain.fallback_name}) == 1
    assert pools_to_make(plain, {plain.fallback_name, "gpu-a"}) == 0
