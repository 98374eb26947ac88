"""Undoing at Cloudflare, step by step, in an account in memory."""

from pathlib import Path
from typing import Any

import pytest

from inferagent.ports import PortError
from inferagent.programs.setup.outside import Outside, reverted
from inferagent.programs.setup.record import Record

HEADER = {"membership": "own-pool", "metrics": "127.0.0.1:9", "zone": "z", "public": "llm.example.com"}
POOLS, TUNNELS, LBS = "/accounts/a/load_balancers/pools", "/accounts/a/cfd_tunnel", "/zones/z/load_balancers"
MONITORS = "/accounts/a/load_balancers/monitors"


def intent(kind: str, path: str, name: str, **fields: Any) -> dict[str, Any]:
    where = {"path": path, "match": {"name": name}, "params": {}}
    return {"kind": kind, "made": True, "before": {}, "after": {}, "where": where, **fields}


class Undo:
    def __init__(self, account: Any, record: Record) -> None:
        self.account = account
        self.record = record
        self.said: list[str] = []

    def note(self, step: str, what: dict[str, Any], result: dict[str, Any] | None = None) -> None:
        number = self.record.begin(step, what)
        if result is not None:
            self.record.done(number, result)

    def run(self, **header: Any) -> list[str]:
        todo = [entry for entry in reversed(self.record.entries()) if not entry.undone]
        Outside(self.account, {**HEADER, **header}, self.said.append).undo(todo, self.record)
        return self.said


@pytest.fixture
def undo(account: Any, tmp_path: Path) -> Undo:
    record = Record(tmp_path)
    record.open({})
    return Undo(account, record)


def test_what_setup_made_is_deleted(undo: Undo) -> None:
    undo.account.lists["/dns"] = [{"id": "d", "name": "h"}, {"id": "e", "name": "other"}]
    undo.note("DNS record h", intent("dns record", "/dns", "h"), {"id": "d"})
    assert undo.run() == ["deleted DNS record h"]
    assert [entry["id"] for entry in undo.account.lists["/dns"]] == ["e"]
    assert undo.run() == ["deleted DNS record h"], "what is undone is not undone again"


def test_what_is_gone_or_another_by_now_is_left(undo: Undo) -> None:
    undo.account.lists["/dns"] = [{"id": "new", "name": "h"}]
    undo.note("DNS record h", intent("dns record", "/dns", "h"), {"id": "old"})
    undo.note("DNS record i", intent("dns record", "/dns", "i"), {"id": "x"})
    assert undo.run() == [
        "DNS record i is gone already",
        "left DNS record h: it is not the one that setup knew",
    ]
    assert undo.account.calls == []


def test_what_was_taken_over_is_put_back_by_its_fields(undo: Undo) -> None:
    undo.account.lists["/dns"] = [{"id": "d", "name": "h", "proxied": True, "ttl": 5, "modified_on": "now"}]
    fields = {"made": False, "before": {"proxied": False}, "after": {"proxied": True}}
    undo.note(
        "DNS record h", intent("dns record", "/dns", "h", **fields), {"id": "d", "after": {"proxied": True}}
    )
    assert undo.run() == ["put DNS record h back"]
    assert undo.account.calls == [("PATCH", "/dns/d", {"proxied": False})]


def test_a_field_that_was_not_there_goes_by_a_whole_write(undo: Undo) -> None:
    shown = {
        "id": "l",
        "name": "n",
        "ttl": 1,
        "random_steering": {"w": 1},
        "modified_on": "x",
        "zone_name": "z",
    }
    undo.account.lists[LBS] = [{**shown, "default_pools": ["theirs"]}]
    fields = {"made": False, "before": {}, "after": {"random_steering": {"w": 1}}}
    undo.note("load balancer n", intent("load balancer", LBS, "n", **fields), {"id": "l"})
    undo.run()
    assert undo.account.calls == [("PUT", f"{LBS}/l", {"name": "n", "ttl": 1, "default_pools": ["theirs"]})]


def test_a_shared_object_loses_our_part_and_goes_with_its_last_part(undo: Undo) -> None:
    mark = {"description": "inferagent llm.example.com"}
    undo.account.lists[LBS] = [{"id": "l", "name": "n", "default_pools": ["ours", "theirs"], **mark}]
    undo.note(
        "load balancer n", intent("load balancer", LBS, "n", after={"default_pools": ["ours"]}), {"id": "l"}
    )
    assert undo.run() == ["left load balancer n to the other hosts"]
    assert undo.account.lists[LBS][0]["default_pools"] == ["theirs"]
    later = {
        "made": False,
        "before": {"default_pools": ["ours"]},
        "after": {"default_pools": ["ours", "theirs"]},
    }
    undo.note("load balancer n", intent("load balancer", LBS, "n", **later), {"id": "l"})
    assert undo.run()[-1] == "deleted load balancer n"


def test_an_empty_load_balancer_of_others_is_not_deleted(undo: Undo) -> None:
    undo.account.lists[LBS] = [{"id": "l", "name": "n", "default_pools": ["ours"], "description": "mine"}]
    fields = {"made": False, "before": {"default_pools": []}, "after": {"default_pools": ["ours"]}}
    undo.note("load balancer n", intent("load balancer", LBS, "n", **fields), {"id": "l"})
    assert undo.run()[0].startswith("left load balancer n")
    assert undo.account.calls == []


def test_the_last_pool_takes_the_monitor_along(undo: Undo) -> None:
    undo.account.lists[MONITORS] = [
        {"id": "m", "description": "inferagent ready x"},
        {"id": "n", "description": "x"},
    ]
    undo.account.lists[POOLS] = [
        {"id": "p", "name": "one", "monitor": "m", "origins": [1]},
        {"id": "q", "name": "two", "monitor": "m", "origins": [1]},
    ]
    undo.note("pool two", intent("pool", POOLS, "two"), {"id": "q"})
    undo.note("pool one", intent("pool", POOLS, "one"), {"id": "p"})
    assert undo.run() == ["deleted pool one", "deleted pool two and the monitor of llm.example.com"]
    assert [entry["id"] for entry in undo.account.lists[MONITORS]] == ["n"]


def test_a_fallback_pool_that_somebody_else_falls_back_to(undo: Undo) -> None:
    mark = {"description": "inferagent fallback of x"}
    undo.account.lists[POOLS] = [{"id": "f", "name": "fall", "origins": [{"address": "a"}], **mark}]
    undo.account.lists[LBS] = [{"id": "l", "name": "n", "default_pools": ["x", "y"], "fallback_pool": "f"}]
    part = {"origins": [{"address": "a"}]}
    undo.note("fallback pool fall", intent("fallback pool", POOLS, "fall", after=part), {"id": "f"})
    assert undo.run() == ["deleted fallback pool fall"]
    assert undo.account.lists[LBS][0]["fallback_pool"] == "y"


def test_a_tunnel_is_deleted_after_its_connections(undo: Undo) -> None:
    undo.account.lists[TUNNELS] = [{"id": "t", "name": "gpu-a"}]
    undo.note("tunnel gpu-a", intent("tunnel", TUNNELS, "gpu-a"), {"id": "t"})
    path = f"{TUNNELS}/t/configurations"
    undo.note("ingress of h", {"kind": "ingress", "path": path, "before": None, "after": {}}, {})
    assert undo.run() == ["ingress of h goes with its tunnel", "deleted tunnel gpu-a"]
    assert [call[1] for call in undo.account.calls] == [f"{TUNNELS}/t/connections", f"{TUNNELS}/t"]


@pytest.mark.parametrize("membership", ["own-pool", "pull"])
def test_a_connected_tunnel_stops_undo_before_it_begins(undo: Undo, membership: str) -> None:
    undo.account.lists[TUNNELS] = [{"id": "t", "name": "gpu-a"}]
    undo.account.lists[f"{TUNNELS}/t/connections"] = [{"id": "k", "conns": [{"is_pending_reconnect": False}]}]
    undo.note("tunnel gpu-a", intent("tunnel", TUNNELS, "gpu-a"), {"id": "t"})
    with pytest.raises(PortError, match="drain and stop"):
        undo.run(membership=membership)
    assert undo.account.calls == []
    undo.account.lists[f"{TUNNELS}/t/connections"][0]["conns"][0]["is_pending_reconnect"] = True
    assert undo.run(membership=membership) == ["deleted tunnel gpu-a"]


def test_a_tunnel_of_replicas_stays_while_another_is_connected(undo: Undo) -> None:
    undo.account.lists[TUNNELS] = [{"id": "t", "name": "shared"}]
    undo.account.lists[f"{TUNNELS}/t/connections"] = [{"id": "k", "conns": [{}]}]
    undo.note("tunnel shared", intent("tunnel", TUNNELS, "shared"), {"id": "t"})
    assert undo.run(membership="replica") == ["left tunnel shared: other hosts still use the tunnel"]
    assert undo.account.calls == []


def test_ingress_of_a_taken_over_tunnel_goes_back(undo: Undo) -> None:
    path = f"{TUNNELS}/t/configurations"
    ours, theirs = {"hostname": "h", "service": "a"}, {"hostname": "o", "service": "b"}
    new, last = {"hostname": "n", "service": "c"}, {"service": "http_status:404"}
    undo.account.documents[path] = {"config": {"ingress": [ours, theirs, new, last]}}
    note = {"before": {"ingress": [theirs, last]}, "after": {"ingress": [ours, theirs, last]}}
    undo.note("ingress of h", {"kind": "ingress", "path": path, **note}, {})
    undo.run()
    assert undo.account.documents[path] == {"config": {"ingress": [theirs, new, last]}}


def test_reverting_leaves_the_other_fields() -> None:
    current = {"a": 1, "b": 2, "c": 3}
    assert reverted(current, {"a": 0}, {"a": 1, "b": 2}) == {"a": 0, "c": 3}
