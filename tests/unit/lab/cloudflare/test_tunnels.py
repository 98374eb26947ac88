import base64
from typing import Any

import pytest

from inferagent.lab.cloudflare import tunnels

CATCH_ALL = {"service": "http_status:404"}
RULE = {"hostname": "gpu-1.example.com", "service": "http://127.0.0.1:8000"}


def put(api: Any, tunnel: dict[str, Any], *rules: dict[str, Any]) -> Any:
    return api(tunnels.put_configuration, {"config": {"ingress": list(rules)}}, tunnel=tunnel["id"])


def test_a_new_tunnel_gives_its_token_and_never_its_secret(api: Any) -> None:
    made = api.tunnel()
    assert made["token"] == api.store.tunnel_token(made["id"])
    assert "tunnel_secret" not in made
    shown = api(tunnels.get_tunnel, tunnel=made["id"])
    assert not {"tunnel_secret", "token", "connections"} & set(shown)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "a", "config_src": "elsewhere"},
        {"name": "a", "tunnel_secret": "!!"},
        {"name": "a", "tunnel_secret": base64.b64encode(b"short").decode()},
        {"name": "a", "surprise": 1},
    ],
)
def test_a_bad_body_is_refused(api: Any, body: dict[str, Any]) -> None:
    assert api.refused(tunnels.create_tunnel, body) == (400, 1002)
    assert api.store.tunnels == {}


def test_names_are_unique_among_the_living(api: Any) -> None:
    made = api.tunnel("a")
    assert api.refused(tunnels.create_tunnel, {"name": "a"}) == (409, 1013)
    other = api.tunnel("b")
    assert api.refused(tunnels.edit_tunnel, {"name": "a"}, tunnel=other["id"]) == (409, 1013)
    api(tunnels.delete_tunnel, tunnel=made["id"])
    assert api.tunnel("a")["id"] != made["id"]


def test_a_new_secret_gives_a_new_token(api: Any) -> None:
    made = api.tunnel()
    secret = base64.b64encode(b"x" * 32).decode()
    api(tunnels.edit_tunnel, {"tunnel_secret": secret}, tunnel=made["id"])
    assert api(tunnels.tunnel_token, tunnel=made["id"]) != made["token"]


def test_deleted_tunnels_are_listed_unless_left_out(api: Any) -> None:
    gone, kept = api.tunnel("gone"), api.tunnel("kept")
    api(tunnels.delete_tunnel, tunnel=gone["id"])

    def names(**query: str) -> list[str]:
        return [tunnel["name"] for tunnel in api(tunnels.list_tunnels, query=query)]

    assert names() == ["kept", "gone"]
    assert names(is_deleted="false") == ["kept"]
    assert names(is_deleted="true") == ["gone"]
    assert names(name="gone", is_deleted="false") == []
    assert names(uuid=kept["id"]) == ["kept"]
    assert names(include_prefix="ke") == ["kept"]
    assert names(exclude_prefix="ke") == ["gone"]
    assert names(per_page="1", page="2") == ["gone"]
    assert api(tunnels.get_tunnel, tunnel=gone["id"])["deleted_at"] is not None
    assert api.refused(tunnels.tunnel_token, tunnel=gone["id"]) == (404, 1001)


def test_a_connected_tunnel_cannot_be_deleted(api: Any) -> None:
    key = api.tunnel()["id"]
    api.store.set_connections(key, [{"id": "1", "client_id": "c", "is_pending_reconnect": False}])
    assert api.refused(tunnels.delete_tunnel, tunnel=key) == (400, 1022)
    api.store.set_connections(key, [{"id": "1", "client_id": "c", "is_pending_reconnect": True}])
    assert api(tunnels.delete_tunnel, tunnel=key)["id"] == key
    assert (api.store.tunnels, api.store.connections) == ({}, {})


def test_a_configuration_is_put_whole_and_counted(api: Any) -> None:
    tunnel = api.tunnel()
    empty = api(tunnels.get_configuration, tunnel=tunnel["id"])
    assert (empty["version"], empty["config"]) == (0, None)
    assert put(api, tunnel, RULE, CATCH_ALL)["version"] == 1
    assert put(api, tunnel, CATCH_ALL)["version"] == 2
    kept = api(tunnels.get_configuration, tunnel=tunnel["id"])
    assert kept["config"] == {"ingress": [CATCH_ALL]}


def test_a_service_with_a_path_is_taken(api: Any) -> None:
    """The API takes it; it is the connector that refuses the push."""
    odd = RULE | {"service": "http://127.0.0.1:8000/"}
    assert put(api, api.tunnel(), odd, CATCH_ALL)["config"]["ingress"][0] == odd


@pytest.mark.parametrize(
    "rules",
    [[RULE], [CATCH_ALL, RULE, CATCH_ALL], [CATCH_ALL | {"path": "^/x$"}]],
)
def test_the_last_rule_and_only_it_matches_everything(api: Any, rules: list[dict[str, Any]]) -> None:
    key = api.tunnel()["id"]
    body = {"config": {"ingress": rules}}
    assert api.refused(tunnels.put_configuration, body, tunnel=key) == (400, 1056)
    assert api.store.tunnel_configurations == {}


@pytest.mark.parametrize(
    "rule",
    [
        {"origin_request": {}},
        {"originRequest": {"httphostheader": "localhost"}},
        {"originRequest": {"connectTimeout": "5s"}},
        {"originRequest": {"noTLSVerify": "true"}},
        {"originRequest": {"access": {"required": True}}},
        {"path": None},
    ],
)
def test_a_bad_rule_is_refused(api: Any, rule: dict[str, Any]) -> None:
    key = api.tunnel()["id"]
    body = {"config": {"ingress": [RULE | rule, CATCH_ALL]}}
    assert api.refused(tunnels.put_configuration, body, tunnel=key) == (400, 1002)


def test_a_tunnel_configured_on_its_host_takes_no_configuration(api: Any) -> None:
    key = api.tunnel(config_src="local")["id"]
    body = {"config": {"ingress": [CATCH_ALL]}}
    assert api.refused(tunnels.put_configuration, body, tunnel=key) == (400, 1056)


def test_connections_are_told_by_connector(api: Any) -> None:
    key = api.tunnel()["id"]
    made = [
        {"id": number, "client_id": client, "client_version": "2026.8.2", "arch": "linux_amd64"}
        for client, number in (("a", "1"), ("b", "2"), ("a", "3"))
    ]
    api.store.set_connections(key, made)
    found = api(tunnels.list_connections, tunnel=key)
    assert {c["id"]: [conn["id"] for conn in c["conns"]] for c in found} == {"a": ["1", "3"], "b": ["2"]}
    assert found[0]["arch"] == "linux_amd64"
    assert "arch" not in found[0]["conns"][0]


def test_the_edge_is_asked_to_drop_connections(api: Any) -> None:
    key = api.tunnel()["id"]
    heard: list[Any] = []
    api.store.subscribe(lambda *change: heard.append(change))
    api(tunnels.delete_connections, tunnel=key)
    api(tunnels.delete_connections, tunnel=key, query={"client_id": "c"})
    assert [what["client_id"] for _kind, _id, what in heard] == [None, "c"]
