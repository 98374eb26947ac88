from inferagent.lab.connector.metrics import Metrics


def samples(metrics):
    found = {}
    for line in metrics.text().splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def test_at_the_start_counters_are_zero_and_families_without_labels_absent():
    found = samples(Metrics())
    assert found["cloudflared_tunnel_total_requests"] == 0
    assert found["cloudflared_tunnel_concurrent_requests_per_tunnel"] == 0
    assert found["cloudflared_orchestration_config_version"] == 0
    assert not any("response_by_code" in name or "register" in name for name in found)


def test_what_was_counted_is_shown_under_the_real_names():
    metrics = Metrics(
        total_requests=3, concurrent_requests=1, request_errors=2, ha_connections=4, registered=5
    )
    metrics.response_by_code[200] += 7
    metrics.register_failed["server_error"] += 1
    metrics.locations[0] = "lab01"
    found = samples(metrics)
    assert found["cloudflared_tunnel_total_requests"] == 3
    assert found["cloudflared_tunnel_concurrent_requests_per_tunnel"] == 1
    assert found["cloudflared_tunnel_request_errors"] == 2
    assert found["cloudflared_tunnel_ha_connections"] == 4
    assert found['cloudflared_tunnel_response_by_code{status_code="200"}'] == 7
    assert (
        found['cloudflared_tunnel_tunnel_register_fail{error="server_error",rpcName="registerConnection"}']
        == 1
    )
    assert found['cloudflared_tunnel_tunnel_register_success{rpcName="registerConnection"}'] == 5
    assert found['cloudflared_tunnel_server_locations{connection_id="0",edge_location="lab01"}'] == 1
    assert any(name.startswith("build_info{") and "2026." in name for name in found)


def test_every_family_has_help_and_type():
    lines = Metrics().text().splitlines()
    helped = {line.split()[2] for line in lines if line.startswith("# HELP")}
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    shown = {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")}
    parts = {name.removesuffix(part) for name in shown for part in ("_bucket", "_sum", "_count")}
    assert helped == typed
    assert typed <= shown | parts
    assert {name for name in shown if name in typed or parts & typed} == shown
