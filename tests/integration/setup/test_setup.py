"""What setup makes: one host, two hosts, again; what it takes over; what it refuses."""

import stat
from typing import Any

import pytest

from inferagent.adapters.cloudflare.identity import Promise, parse
from inferagent.lab.cloudflare.faults import Fault
from inferagent.model.desired import EngineKind
from inferagent.programs.setup import EngineRequest, made_pool
from inferagent.programs.setup.record import Record

READY = r"^/\.inferagent/ready$"
PUBLIC = "llm.example.com"


def ingress(lab: Any, tunnel: str) -> list[dict[str, Any]]:
    return lab.store.tunnel_configurations[tunnel]["config"]["ingress"]


def test_one_host_gets_all_that_it_needs(lab: Any) -> None:
    request = lab.request("gpu-a", weight=80)
    assert lab.setup(request) == 0, lab.said
    tunnel, pool, balancer = lab.only("tunnels"), lab.named("pools", "gpu-a"), lab.only("load_balancers")
    address, header = f"{tunnel['id']}.cfargotunnel.com", {"Host": ["gpu-a.example.com"]}
    endpoint = {"name": "gpu-a", "address": address, "enabled": True, "weight": 1.0, "header": header}
    engine = {"hostname": "gpu-a.example.com", "service": "http://127.0.0.1:8000"}
    assert ingress(lab, tunnel["id"]) == [
        {"hostname": "gpu-a.example.com", "path": READY, "service": "http://127.0.0.1:8790"},
        {**engine, "originRequest": {"keepAliveTimeout": 3}},
        {"service": "http_status:404"},
    ]
    record = lab.only("dns_records")
    assert (record["name"], record["content"], record["proxied"]) == ("gpu-a.example.com", address, True)
    monitor = lab.only("monitors")
    assert (monitor["type"], monitor["method"], monitor["port"]) == ("https", "GET", 443)
    assert (monitor["path"], monitor["header"]) == ("/.inferagent/ready", {"Host": [PUBLIC]})
    assert pool["enabled"] is False
    assert (pool["origins"], pool["monitor"]) == ([endpoint], monitor["id"])
    assert parse(pool["description"]) == Promise(lab.machine(request), ("chat",))
    fallback = lab.named("pools", "llm-example-com-fallback")
    assert (fallback["origins"], fallback["enabled"]) == ([endpoint], True)
    assert "monitor" not in fallback
    assert (balancer["name"], balancer["default_pools"]) == (PUBLIC, [pool["id"]])
    assert (balancer["fallback_pool"], balancer["proxied"]) == (fallback["id"], True)
    assert balancer["random_steering"]["pool_weights"] == {pool["id"]: 0.8}
    assert (balancer["steering_policy"], balancer["adaptive_routing"]) == (
        "random",
        {"failover_across_pools": True},
    )


def test_the_configuration_is_whole_and_the_secrets_are_shut(lab: Any) -> None:
    request = lab.request("gpu-a", settings=(("drain.settle", "5s"), ("limits.joins_per_hour", 9)))
    assert lab.setup(request) == 0, lab.said
    settings = lab.config(request)
    assert settings.membership.pool == lab.named("pools", "gpu-a")["id"]
    assert settings.membership.load_balancer == lab.only("load_balancers")["id"]
    assert settings.connector.tunnel == lab.only("tunnels")["id"]
    assert (settings.drain.settle, settings.limits.joins_per_hour) == (5.0, 9)
    assert settings.membership.monitor_bound == 130.0
    secrets = request.credentials_dir
    assert (secrets / "tunnel-token").read_text().strip() == lab.store.tunnel_token(settings.connector.tunnel)
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o600}
    assert stat.S_IMODE((request.state_dir / "setup-undo.jsonl").stat().st_mode) == 0o640
    for secret in (lab.token, lab.store.tunnel_token(settings.connector.tunnel)):
        assert secret not in "\n".join(lab.said)
        assert secret not in (request.config_dir / "config.toml").read_text()
        assert secret not in (request.state_dir / "setup-undo.jsonl").read_text()


def test_ollama_gets_a_host_header_that_it_takes(lab: Any) -> None:
    assert lab.setup(lab.request("gpu-b", EngineKind.OLLAMA)) == 0, lab.said
    rule = ingress(lab, lab.only("tunnels")["id"])[1]
    assert rule["originRequest"] == {"httpHostHeader": "localhost"}


def test_again_there_is_nothing_to_do(lab: Any) -> None:
    request = lab.request("gpu-a", weight=80)
    assert lab.setup(request) == 0, lab.said
    before, written, files = lab.look(), len(lab.store.writes), lab.files()
    assert lab.plan(request) == ["nothing to do: gpu-a is set up for llm.example.com (own-pool)"]
    assert lab.setup(request) == 0
    assert (lab.look(), len(lab.store.writes), lab.files()) == (before, written, files)


def test_a_plan_that_is_only_shown_or_denied_changes_nothing(lab: Any) -> None:
    before = lab.look()
    lines = lab.plan(lab.request("gpu-a"))
    assert len(lines) == 11
    assert lab.setup(lab.request("gpu-a"), confirm=False) == 1
    assert (lab.look(), set(lab.files())) == (before, {"api-token"})


def test_an_enabled_pool_is_left_enabled(lab: Any) -> None:
    request = lab.request("gpu-a", weight=80)
    lab.setup(request)
    pool = lab.named("pools", "gpu-a")
    lab.store.put("pool", pool["id"], pool | {"enabled": True})
    assert lab.setup(lab.request("gpu-a", weight=60)) == 0, lab.said
    assert lab.named("pools", "gpu-a")["enabled"] is True
    assert lab.only("load_balancers")["random_steering"]["pool_weights"] == {pool["id"]: 0.6}


def test_two_hosts_share_one_load_balancer(lab: Any) -> None:
    assert lab.setup(lab.request("gcp-gpu", weight=80)) == 0, lab.said
    assert lab.setup(lab.request("home-gpu", EngineKind.OLLAMA, weight=20)) == 0, lab.said
    first, second = lab.named("pools", "gcp-gpu"), lab.named("pools", "home-gpu")
    balancer, fallback = lab.only("load_balancers"), lab.named("pools", "llm-example-com-fallback")
    assert balancer["default_pools"] == [first["id"], second["id"]]
    assert balancer["random_steering"]["pool_weights"] == {first["id"]: 0.8, second["id"]: 0.2}
    assert [entry["name"] for entry in fallback["origins"]] == ["gcp-gpu", "home-gpu"]
    assert first["monitor"] == second["monitor"] == lab.only("monitors")["id"]
    assert len(lab.store.tunnels) == 2
    for request in (lab.request("gcp-gpu"), lab.request("home-gpu", EngineKind.OLLAMA)):
        assert "nothing to do" in lab.plan(request)[0]


def test_the_first_start_knows_that_setup_made_the_pool_disabled(lab: Any) -> None:
    request = lab.request("gpu-a")
    assert not made_pool(request.state_dir)
    lab.setup(request)
    assert made_pool(request.state_dir)
    lab.undo(request)
    assert not made_pool(request.state_dir)


@pytest.mark.parametrize(("kind", "method"), [("reset", "POST"), ("garbage", "PUT"), ("status", "POST")])
def test_lost_and_ill_answers_are_got_over(lab: Any, kind: str, method: str) -> None:
    lab.served.faults.add(Fault(kind=kind, method=method, count=1))
    lab.served.faults.add(Fault(kind="status", method="GET", status=403, count=2, body="{}"))
    assert lab.setup(lab.request("gpu-a")) == 0, lab.said
    assert len(lab.store.tunnels) == 1


def test_a_creation_whose_answer_is_lost_is_found_again(lab: Any) -> None:
    lab.served.faults.add(Fault(kind="late", method="POST", seconds=0.0, answer="504"))
    assert lab.setup(lab.request("gpu-a")) == 0, lab.said
    assert (len(lab.store.tunnels), len(lab.store.monitors), len(lab.store.pools)) == (1, 1, 2)


def test_a_refusal_in_the_middle_is_said_and_a_second_run_goes_on(lab: Any) -> None:
    fault = lab.served.faults.add(Fault(kind="status", method="POST", path="monitors", status=400, body="no"))
    request = lab.request("gpu-a")
    assert lab.setup(request) == 1
    assert any(line.startswith("cannot make monitor of llm.example.com: HTTP 400") for line in lab.said)
    assert not (request.config_dir / "config.toml").exists()
    begun = Record(request.state_dir).entries()[-1]
    assert (begun.step, begun.result) == ("monitor of llm.example.com", {}), "noted before the deed"
    lab.served.faults.remove(fault)
    assert lab.setup(request) == 0
    assert lab.config(request).membership.pool == lab.named("pools", "gpu-a")["id"]


def test_a_token_that_is_none_is_said_with_the_cure(lab: Any) -> None:
    refusal = '{"success":false,"errors":[{"code":6003,"message":"Invalid request headers"}],"result":null}'
    lab.served.faults.add(Fault(kind="status", status=400, body=refusal))
    assert lab.setup(lab.request("gpu-a")) == 1
    (said,) = lab.said
    assert said.endswith("is it the right token, and may it do this? (--api-token-file)")


def test_a_token_of_two_lines_is_refused_unrepeated(lab: Any) -> None:
    request = lab.request("gpu-a")
    request.api_token_file.write_text("hunter1\nhunter2\n")
    assert lab.setup(request) == 1
    assert lab.said == ["cannot use the API token: it is not one plain word"]


def test_an_interval_that_the_plan_does_not_allow_is_said(lab: Any) -> None:
    assert lab.setup(lab.request("gpu-a", monitor_interval=5)) == 1
    assert "interval is not in range" in "\n".join(lab.said)
    assert "--monitor-interval" in "\n".join(lab.said)


def fill(lab: Any, pools: int) -> None:
    for number in range(pools):
        entry = {"name": "x", "address": f"{number}.example.com", "enabled": True}
        lab.store.put(
            "pool",
            f"p{number}",
            {"id": f"p{number}", "name": f"other-{number}", "origins": [entry], "enabled": True},
        )


def test_the_twentieth_host_is_refused_with_the_way_out(lab: Any) -> None:
    assert lab.setup(lab.request("gpu-a")) == 0, lab.said
    fill(lab, 17)
    assert lab.setup(lab.request("gpu-b")) == 0, lab.said
    before = lab.look()
    lab.said.clear()
    assert lab.setup(lab.request("gpu-c")) == 1
    (said,) = lab.said
    assert "20 of 20 pools" in said
    assert "--membership pull" in said
    assert lab.look() == before


def test_the_last_two_pools_go_to_the_first_host_and_its_fallback(lab: Any) -> None:
    fill(lab, 19)
    assert lab.setup(lab.request("gpu-a")) == 1
    assert "needs 2 more" in lab.said[0]
    lab.store.remove("pool", "p0")
    assert lab.setup(lab.request("gpu-a")) == 0, lab.said


def test_pools_that_promise_other_models_are_refused(lab: Any) -> None:
    lab.setup(lab.request("gpu-a"))
    before = lab.look()
    lab.said.clear()
    engine = EngineRequest(
        EngineKind.VLLM, "http://127.0.0.1:8000", (("chat", "m"), ("embed", "e")), ("engine",)
    )
    assert lab.setup(lab.request("gpu-b", engine=engine)) == 1
    (said,) = lab.said
    assert "this host promises embed and gpu-a does not" in said
    assert "ollama cp" in said
    assert "--served-model-name" in said
    assert lab.look() == before
    assert lab.setup(lab.request("gpu-a", engine=engine)) == 0, "alone it may promise what it likes"


def test_another_machine_of_the_same_name_is_refused(lab: Any) -> None:
    lab.setup(lab.request("gpu-a"))
    before = lab.look()
    again = lab.request("gpu-a", config_dir=lab.folder / "x", state_dir=lab.folder / "y")
    assert lab.setup(again, machine="f" * 16) == 1
    assert "another machine" in lab.said[-1]
    assert lab.look() == before
    assert lab.setup(lab.replaced(again, take_over=True), machine="f" * 16) == 0, lab.said
    assert parse(lab.named("pools", "gpu-a")["description"]) == Promise("f" * 16, ("chat",))


def test_a_hostname_that_serves_somebody_is_not_taken(lab: Any) -> None:
    record = {"id": "d", "type": "A", "name": "gpu-a.example.com", "content": "192.0.2.7", "proxied": True}
    lab.store.put("dns_record", "d", record | {"comment": None, "ttl": 1})
    assert lab.setup(lab.request("gpu-a")) == 1
    assert "it leads to 192.0.2.7" in lab.said[0]
    assert lab.setup(lab.request("gpu-a", hostname="gpu-a-llm.example.com")) == 0, lab.said


def test_a_record_of_a_tunnel_that_is_gone_is_taken_over_and_given_back(lab: Any) -> None:
    gone = "11111111-2222-3333-4444-555555555555.cfargotunnel.com"
    record = {"id": "d", "type": "CNAME", "name": "gpu-a.example.com", "content": gone, "proxied": False}
    lab.store.put("dns_record", "d", record | {"comment": None, "ttl": 1})
    before = lab.undated()
    request = lab.request("gpu-a")
    assert lab.setup(request) == 0, lab.said
    assert lab.store.dns_records["d"]["proxied"] is True
    assert lab.undo(request) == 0, lab.said
    assert lab.undated()["dns_records"]["d"]["content"] == before["dns_records"]["d"]["content"]
