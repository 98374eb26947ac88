"""Undo puts the account and the disk back: alone, with two hosts, after a crash, among others' objects."""

import json
from pathlib import Path
from typing import Any

import pytest

from inferagent.lab.cloudflare.faults import Fault
from inferagent.model.desired import EngineKind
from inferagent.programs.setup.session import Session


def others(lab: Any) -> dict[str, str]:
    """What somebody else has in the same account: a second service, and things that setup takes over."""
    account, zone = f"/accounts/{lab.store.account['id']}", f"/zones/{lab.store.zone['id']}"
    with Session(lab.served.url, lab.token) as session:

        def make(path: str, /, **body: Any) -> str:
            return str(session.change("make it", "POST", path, body)["id"])

        pools = f"{account}/load_balancers/pools"
        entries = {name: {"name": "old", "address": f"{name}.example.com"} for name in ("web", "gpu-a")}
        ids = {name: make(pools, name=name, origins=[entry]) for name, entry in entries.items()}
        ids["monitor"] = make(f"{account}/load_balancers/monitors", description="web", path="/web")
        for name in ("web", "llm"):
            body = {"default_pools": [ids["web"]], "fallback_pool": ids["web"]}
            ids[f"{name} balancer"] = make(f"{zone}/load_balancers", name=f"{name}.example.com", **body)
        ids["record"] = make(f"{zone}/dns_records", type="TXT", name="about.example.com", ttl=1, content="x")
        ids["tunnel"] = make(f"{account}/cfd_tunnel", name="gpu-a", config_src="cloudflare")
        rules = [
            {"hostname": "ssh.example.com", "service": "ssh://localhost:22"},
            {"service": "http_status:503"},
        ]
        config = {"config": {"ingress": rules}}
        session.change("configure", "PUT", f"{account}/cfd_tunnel/{ids['tunnel']}/configurations", config)
    return ids


def test_alone_everything_goes(lab: Any) -> None:
    request = lab.request("gpu-a", weight=80)
    before, files = lab.look(), lab.files()
    assert lab.setup(request) == 0, lab.said
    assert lab.undo(request) == 0, lab.said
    assert lab.look() == before
    assert lab.files() == files
    assert not request.config_dir.exists()
    assert not request.state_dir.exists()
    lab.said.clear()
    assert lab.undo(request) == 0
    assert lab.said == ["nothing to undo: there is no undo record"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_hosts_in_either_order(lab: Any, order: tuple[int, int]) -> None:
    ids = others(lab)
    lab.store.remove("load_balancer", ids["llm balancer"])
    before, files = lab.look(), lab.files()
    requests = [lab.request("gcp-gpu", weight=80), lab.request("home-gpu", EngineKind.OLLAMA, weight=20)]
    for request in requests:
        assert lab.setup(request) == 0, lab.said
    first, second = (requests[number] for number in order)
    assert lab.undo(first) == 0, lab.said
    remaining = lab.named("pools", second.host)
    balancer = lab.named("load_balancers", "llm.example.com")
    assert balancer["default_pools"] == [remaining["id"]]
    assert list(balancer["random_steering"]["pool_weights"]) == [remaining["id"]]
    fallback = lab.named("pools", "llm-example-com-fallback")
    assert [entry["name"] for entry in fallback["origins"]] == [second.host]
    assert remaining["monitor"] in lab.store.monitors
    assert "nothing to do" in lab.plan(second)[0]
    assert lab.undo(second) == 0, lab.said
    assert lab.look() == before
    assert {**lab.files()} == {**files, "api-token": f"{lab.token}\n".encode()}


def test_what_was_taken_over_goes_back_and_what_is_others_is_untouched(lab: Any) -> None:
    ids = others(lab)
    before, exact = lab.undated(), lab.look()
    request = lab.request("gpu-a", weight=80)
    assert lab.setup(request) == 0, lab.said
    balancer = lab.named("load_balancers", "llm.example.com")
    assert balancer["default_pools"] == [ids["web"], ids["gpu-a"]]
    assert balancer["steering_policy"] == "random"
    assert lab.store.tunnel_configurations[ids["tunnel"]]["config"]["ingress"][2:] == [
        {"hostname": "ssh.example.com", "service": "ssh://localhost:22"},
        {"service": "http_status:503"},
    ]
    assert lab.store.pools[ids["gpu-a"]]["enabled"] is True, (
        "whether a pool is enabled is not setup's to change"
    )
    assert lab.undo(request) == 0, lab.said
    assert lab.undated() == before
    untouched = {
        "pools": "web",
        "monitors": "monitor",
        "load_balancers": "web balancer",
        "dns_records": "record",
        "tunnels": "tunnel",
    }
    for table, name in untouched.items():
        assert json.dumps(lab.look()[table][ids[name]]) == json.dumps(exact[table][ids[name]])


def test_changes_of_others_in_the_meantime_stay(lab: Any) -> None:
    ids = others(lab)
    request = lab.request("gpu-a", weight=80)
    assert lab.setup(request) == 0, lab.said
    store, balancer = lab.store, lab.store.load_balancers[ids["llm balancer"]]
    store.put("pool", "p3", store.pools[ids["web"]] | {"id": "p3", "name": "third"})
    weights = {**balancer["random_steering"]["pool_weights"], "p3": 0.3}
    changed = {
        "default_pools": [*balancer["default_pools"], "p3"],
        "random_steering": {"default_weight": 0.5, "pool_weights": weights},
        "ttl": 99,
    }
    store.put("load_balancer", balancer["id"], balancer | changed)
    config = store.tunnel_configurations[ids["tunnel"]]
    *rules, last = config["config"]["ingress"]
    added = {"hostname": "new.example.com", "service": "http://localhost:1"}
    store.put("tunnel_configuration", ids["tunnel"], config | {"config": {"ingress": [*rules, added, last]}})
    assert lab.undo(request) == 0, lab.said
    after = store.load_balancers[balancer["id"]]
    assert (after["default_pools"], after["ttl"]) == ([ids["web"], "p3"], 99)
    assert after["fallback_pool"] == ids["web"]
    assert after["random_steering"] == {"default_weight": 0.5, "pool_weights": {"p3": 0.3}}
    ingress = store.tunnel_configurations[ids["tunnel"]]["config"]["ingress"]
    assert [rule.get("hostname") for rule in ingress] == ["ssh.example.com", "new.example.com", None]


def test_a_foreign_pool_in_our_load_balancer_keeps_it_alive(lab: Any) -> None:
    request = lab.request("gpu-a")
    assert lab.setup(request) == 0, lab.said
    balancer = lab.only("load_balancers")
    pool = lab.named("pools", "gpu-a")
    lab.store.put("pool", "p9", pool | {"id": "p9", "name": "web"})
    lab.store.put(
        "load_balancer", balancer["id"], balancer | {"default_pools": [*balancer["default_pools"], "p9"]}
    )
    assert lab.undo(request) == 0, lab.said
    after = lab.only("load_balancers")
    assert (after["default_pools"], after["fallback_pool"]) == (["p9"], "p9")
    assert list(lab.store.pools) == ["p9"]


@pytest.mark.parametrize("step", range(10))
def test_a_step_that_is_not_known_to_be_done_is_undone_too(lab: Any, step: int) -> None:
    """As after a power cut between the deed and its line in the record."""
    others(lab)
    before = lab.undated()
    request = lab.request("gpu-a", weight=80)
    assert lab.setup(request) == 0, lab.said
    record = request.state_dir / "setup-undo.jsonl"
    kept = [line for line in record.read_text().splitlines() if line]
    done = [number for number, line in enumerate(kept) if "done" in json.loads(line)]
    number = done[step % len(done)]
    kept[number] = kept[number][:9]
    record.write_text("\n".join(kept))
    assert lab.undo(request) == 0, lab.said
    assert lab.undated() == before
    assert set(lab.files()) == {"api-token"}


@pytest.mark.parametrize(
    "path", ["cfd_tunnel$", "configurations", "dns_records", "monitors", "pools", "/load_bal"]
)
def test_a_setup_that_stopped_half_way_can_be_undone(lab: Any, path: str) -> None:
    before = lab.look()
    fault = Fault(kind="status", path=path, status=400, writes_only=True)
    key = lab.served.faults.add(fault)
    request = lab.request("gpu-a")
    assert lab.setup(request) == 1
    lab.served.faults.remove(key)
    assert lab.undo(request) == 0, lab.said
    assert lab.look() == before
    assert set(lab.files()) == {"api-token"}


def test_an_undo_that_stopped_half_way_goes_on(lab: Any) -> None:
    before = lab.look()
    request = lab.request("gpu-a")
    assert lab.setup(request) == 0, lab.said
    key = lab.served.faults.add(Fault(kind="status", path="dns_records/", status=400, writes_only=True))
    assert lab.undo(request) == 1
    assert any("cannot delete DNS record" in line for line in lab.said)
    assert lab.store.tunnels
    lab.served.faults.remove(key)
    assert lab.undo(request) == 0, lab.said
    assert lab.look() == before


def test_a_connected_host_is_not_undone(lab: Any) -> None:
    request = lab.request("gpu-a")
    assert lab.setup(request) == 0, lab.said
    tunnel = lab.only("tunnels")["id"]
    lab.store.set_connections(tunnel, [{"id": "c", "client_id": "k", "is_pending_reconnect": False}])
    before = lab.look()
    assert lab.undo(request) == 1
    assert "drain and stop this host's agent first" in lab.said[-1]
    assert lab.look() == before
    lab.store.set_connections(tunnel, [])
    assert lab.undo(request) == 0, lab.said


def test_an_older_configuration_comes_back_to_the_letter(lab: Any) -> None:
    request = lab.request("gpu-a")
    request.credentials_dir.mkdir(parents=True, mode=0o700)
    config, secret = request.config_dir / "config.toml", request.credentials_dir / "tunnel-token"
    config.write_text('# mine\nmode = "observe"   # for now\n\n[drain]\nsettle = "7s"\n')
    secret.write_text("an older token\n")
    before = lab.files()
    assert lab.setup(request) == 0, lab.said
    assert "# mine" in config.read_text()
    assert lab.config(request).drain.settle == 7.0
    assert lab.config(request).mode == "act"
    assert "an older token" not in (request.state_dir / "setup-undo.jsonl").read_text()
    assert lab.undo(request) == 0, lab.said
    assert lab.files() == before


def test_a_configuration_that_a_person_changed_since_is_kept_beside(lab: Any) -> None:
    request = lab.request("gpu-a")
    assert lab.setup(request) == 0, lab.said
    config = request.config_dir / "config.toml"
    config.write_text(config.read_text() + "\n# my note\n")
    assert lab.undo(request) == 0, lab.said
    assert not config.exists()
    assert "# my note" in Path(f"{config}.before-undo").read_text()


def test_a_second_setup_of_another_shape_is_refused_until_the_first_is_undone(lab: Any) -> None:
    assert lab.setup(lab.request("gpu-a")) == 0, lab.said
    assert lab.setup(lab.request("gpu-a", public="other.example.com")) == 1
    assert "undo that first" in lab.said[-1]
