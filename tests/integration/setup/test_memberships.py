"""pull and replica: only what they need, with a token and without."""

from dataclasses import replace
from typing import Any

import pytest

from inferagent.lab.cloudflare.faults import Fault
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.session import Session

PULL, REPLICA = MembershipKind.PULL, MembershipKind.REPLICA


def request(lab: Any, host: str, kind: MembershipKind, **changes: Any) -> Any:
    return lab.request(host, membership=kind, **changes)


def test_pull_shares_one_pool_whose_monitor_decides(lab: Any) -> None:
    before = lab.look()
    hosts = [request(lab, "gpu-a", PULL, weight=80), request(lab, "gpu-b", PULL, weight=20)]
    for host in hosts:
        assert lab.setup(host) == 0, lab.said
        assert "nothing to do" in lab.plan(host)[0]
    pool = lab.named("pools", "llm-example-com")
    assert [(entry["name"], entry["weight"]) for entry in pool["origins"]] == [("gpu-a", 0.8), ("gpu-b", 0.2)]
    assert pool["enabled"] is True
    assert pool["monitor"] == lab.only("monitors")["id"]
    assert lab.only("load_balancers")["default_pools"] == [pool["id"]]
    assert len(lab.named("pools", "llm-example-com-fallback")["origins"]) == 2
    settings = lab.config(hosts[0])
    assert (settings.membership.kind, settings.membership.pool) == (PULL, "")
    assert [path.name for path in hosts[0].credentials_dir.iterdir()] == ["tunnel-token"]
    assert lab.undo(hosts[0]) == 0, lab.said
    assert [entry["name"] for entry in lab.named("pools", "llm-example-com")["origins"]] == ["gpu-b"]
    assert lab.undo(hosts[1]) == 0, lab.said
    assert lab.look() == before


def test_pull_leaves_a_pool_of_others_as_it_is_and_says_what_to_do(lab: Any) -> None:
    pools = f"/accounts/{lab.store.account['id']}/load_balancers/pools"
    with Session(lab.served.url, lab.token) as session:
        entry = {"name": "x", "address": "x.example.com"}
        session.change("make it", "POST", pools, {"name": "theirs", "origins": [entry]})
    before = lab.only("pools")
    host = request(lab, "gpu-a", PULL, pool="theirs")
    assert lab.setup(host) == 0, lab.said
    assert lab.only("pools") == before
    assert not lab.store.monitors
    assert not lab.store.load_balancers
    assert any("when `inferagent status` says serving, point the pool's monitor" in line for line in lab.said)
    assert lab.config(host).connector.tunnel == lab.only("tunnels")["id"]


def test_pull_without_a_token_writes_the_configuration_and_tells_the_rest(lab: Any) -> None:
    host = request(lab, "gpu-a", PULL, api_token_file=None)
    token = lab.folder / "api-token"
    token.unlink()
    assert lab.setup(host) == 0, lab.said
    told = "\n".join(lab.said)
    assert "tunnel-token (mode 0600)" in told
    assert r"gpu-a.example.com with path ^/\.inferagent/ready$ to http://127.0.0.1:8790" in told
    assert "point the pool's monitor at /.inferagent/ready" in told
    assert lab.served.gateway.requests.maxlen
    assert not list(lab.served.gateway.requests)
    assert lab.config(host).connector.tunnel == ""
    assert lab.undo(host) == 0, lab.said
    assert lab.files() == {}


def test_a_tunnel_token_put_there_by_hand_tells_the_tunnel(lab: Any) -> None:
    first = request(lab, "gpu-b", REPLICA)
    assert lab.setup(first) == 0, lab.said
    tunnel = lab.only("tunnels")["id"]
    host = request(lab, "gpu-a", REPLICA, api_token_file=None)
    host.credentials_dir.mkdir(parents=True, mode=0o700)
    secret = host.credentials_dir / "tunnel-token"
    secret.write_text(lab.store.tunnel_token(tunnel))
    secret.chmod(0o600)
    assert lab.setup(host) == 0, lab.said
    assert lab.config(host).connector.tunnel == tunnel
    secret.write_text("no token at all")
    assert lab.setup(host) == 1
    assert "does not hold a tunnel's token" in lab.said[-1]


def test_replicas_share_a_tunnel_and_the_public_hostname(lab: Any) -> None:
    before = lab.look()
    hosts = [request(lab, "gpu-a", REPLICA), request(lab, "gpu-b", REPLICA)]
    for host in hosts:
        assert lab.setup(host) == 0, lab.said
        assert "nothing to do" in lab.plan(host)[0]
    record = lab.only("dns_records")
    tunnel = lab.only("tunnels")
    assert (record["name"], record["content"]) == ("llm.example.com", f"{tunnel['id']}.cfargotunnel.com")
    assert not any((lab.store.pools, lab.store.monitors, lab.store.load_balancers))
    tokens = [(host.credentials_dir / "tunnel-token").read_text() for host in hosts]
    assert tokens[0] == tokens[1]
    assert lab.config(hosts[1]).connector.hostname == "llm.example.com"
    assert not any("load_balancers" in seen.path for seen in lab.served.gateway.requests)
    for host in reversed(hosts):
        assert lab.undo(host) == 0, lab.said
    assert lab.look() == before


def test_replicas_that_answer_at_another_port_are_refused(lab: Any) -> None:
    assert lab.setup(request(lab, "gpu-a", REPLICA)) == 0, lab.said
    other = request(lab, "gpu-b", REPLICA)
    assert lab.setup(replace(other, engine=replace(other.engine, url="http://127.0.0.1:9000"))) == 1
    assert "replicas answer at http://127.0.0.1:8000" in lab.said[-1]
    assert lab.setup(replace(other, ready_port=8799)) == 1


def test_a_tunnel_that_other_replicas_use_outlives_the_host_that_made_it(lab: Any) -> None:
    host = request(lab, "gpu-a", REPLICA)
    assert lab.setup(host) == 0, lab.said
    tunnel = lab.only("tunnels")["id"]
    lab.store.set_connections(tunnel, [{"id": "c", "client_id": "other", "is_pending_reconnect": False}])
    assert lab.undo(host) == 0, lab.said
    assert "left tunnel llm-example-com: other hosts still use the tunnel" in lab.said
    assert (lab.only("tunnels")["id"], len(lab.store.dns_records)) == (tunnel, 1)
    assert not host.config_dir.exists()


@pytest.mark.parametrize("kind", [PULL, REPLICA])
def test_no_api_token_stays_on_the_host(lab: Any, kind: MembershipKind) -> None:
    host = request(lab, "gpu-a", kind)
    assert lab.setup(host) == 0, lab.said
    kept = b"".join(content for name, content in lab.files().items() if name != "api-token")
    assert lab.token.encode() not in kept


def test_a_token_that_may_not_balance_can_make_a_replica(lab: Any) -> None:
    refusal = Fault(kind="status", path="load_balancers|pools|monitors", status=403)
    lab.served.faults.add(refusal)
    assert lab.setup(request(lab, "gpu-a", REPLICA)) == 0, lab.said
