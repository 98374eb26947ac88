import base64
import json
from typing import Any

from inferagent.lab.cloudflare.store import Store


def connections(count: int) -> list[dict[str, Any]]:
    return [{"id": str(number), "client_id": "c"} for number in range(count)]


def test_listeners_hear_of_every_change_in_order(api: Any) -> None:
    heard: list[tuple[str, str, Any]] = []
    api.store.subscribe(lambda *change: heard.append(change))
    api.store.put("pool", "p", {"enabled": True})
    api.store.put("pool", "p", {"enabled": False})
    api.store.remove("pool", "p")
    assert heard == [("pool", "p", {"enabled": True}), ("pool", "p", {"enabled": False}), ("pool", "p", None)]


def test_a_listener_cannot_change_what_is_kept(api: Any) -> None:
    api.store.subscribe(lambda _kind, _id, new: new.clear())
    api.store.put("pool", "p", {"enabled": True})
    assert api.store.pools["p"] == {"enabled": True}


def test_the_snapshot_is_a_copy(api: Any) -> None:
    api.store.put("pool", "p", {"origins": [{"name": "a"}]})
    taken = api.store.snapshot()
    api.store.pools["p"]["origins"][0]["name"] = "b"
    assert taken["pools"]["p"]["origins"][0]["name"] == "a"


def test_a_snapshot_without_what_lives_is_equal_whatever_the_edge_reports(api: Any) -> None:
    tunnel, pool = api.tunnel(), api.pool()
    before, whole = api.store.snapshot(live=False), api.store.snapshot()
    api.store.set_connections(tunnel["id"], connections(4))
    api.store.set_health(pool["id"], True)
    assert api.store.snapshot(live=False) == before
    assert api.store.snapshot() != whole


def test_the_tunnel_token_holds_account_tunnel_and_secret(api: Any) -> None:
    key = api.tunnel()["id"]
    parts = json.loads(base64.b64decode(api.store.tunnel_token(key)))
    assert parts == {"a": api.store.account["id"], "t": key, "s": api.store.tunnels[key]["tunnel_secret"]}


def test_the_status_of_a_tunnel_follows_its_connections(api: Any) -> None:
    key = api.tunnel()["id"]
    seen = [api.store.tunnels[key]["status"]]
    for count in (1, 4, 0):
        api.store.set_connections(key, connections(count))
        seen.append(api.store.tunnels[key]["status"])
    assert seen == ["inactive", "degraded", "healthy", "down"]
    assert api.store.tunnels[key]["conns_active_at"] is None


def test_a_tunnel_stays_active_since_its_first_connection(api: Any) -> None:
    key = api.tunnel()["id"]
    api.store.set_connections(key, connections(1))
    since = api.store.tunnels[key]["conns_active_at"]
    api.clock.time += 60
    api.store.set_connections(key, connections(2))
    assert since is not None
    assert api.store.tunnels[key]["conns_active_at"] == since


def test_connections_of_a_tunnel_that_is_gone_are_forgotten(api: Any) -> None:
    api.store.set_connections("gone", connections(1))
    assert api.store.connections == {}


def test_health_is_forgotten_when_a_pool_is_disabled_or_enabled(api: Any) -> None:
    pool = api.pool()
    api.store.set_health(pool["id"], True)
    api.store.put("pool", pool["id"], pool | {"description": "same"})
    assert api.store.health[pool["id"]]["healthy"] is True
    api.store.put("pool", pool["id"], pool | {"enabled": False})
    assert pool["id"] not in api.store.health


def test_an_older_state_can_be_seen(api: Any) -> None:
    start = api.clock.time
    for step, value in enumerate((1, 2, 3)):
        api.clock.time = start + step
        api.store.put("pool", "p", {"value": value})
    api.clock.time = start + 3
    api.store.remove("pool", "p")
    seen = [api.store.as_of(start + after).pools.get("p") for after in (-1, 0, 1.5, 2, 3)]
    assert seen == [None, {"value": 1}, {"value": 2}, {"value": 3}, None]
    assert api.store.pools == {}


def test_the_journal_keeps_what_was_written_then(api: Any) -> None:
    body = {"enabled": False}
    api.store.record("t1", "PATCH", "/accounts/a/load_balancers/pools/p", body)
    body["enabled"] = True
    api.store.record("t1", "PATCH", "/zones/z/load_balancers/l", {})
    found = api.store.writes_to("PATCH", "/pools/")
    assert [(write.token, write.body, write.time) for write in found] == [
        ("t1", {"enabled": False}, api.clock.time)
    ]


def test_token_ids_are_not_their_values() -> None:
    store = Store()
    token = store.add_token("secret", ["DNS Write"])
    assert token.id != "secret"
    assert store.tokens["secret"].permissions == {"DNS Write"}
