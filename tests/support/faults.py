"""One fault at a time, as data: what it is, the hop that doctor must name, the check, a word of the cure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.support.breaking import (
    OTHER,
    POOLS_READ,
    POOLS_WRITE,
    XID,
    Break,
    _catch_all,
    _guarded,
    _no_ready,
    _other_pool,
    _other_port,
    _own_pool,
    _swapped,
    _trailing_slash,
    access,
    access_refuses_token,
    agent_gone,
    api,
    api_gone,
    bad_key,
    balancer,
    changed,
    clock_of_the_edge,
    connector_gone,
    connector_lost,
    credential,
    directed,
    endpoint,
    engine_gone,
    engine_hung,
    engine_open,
    google,
    gpus,
    ingress,
    model_missing,
    monitor,
    never_asked,
    no_configuration,
    no_monitor,
    observing,
    old_connector,
    ollama,
    ollama_on_cpu,
    ordered,
    other_tunnel,
    port_shut,
    ready_taken,
    removed,
    says,
    status,
    token,
    units,
    updates_itself,
    zone_pending,
)
from tests.support.clinic import HOST, PUBLIC

from inferagent.adapters.cloudflare.identity import Promise, describe
from inferagent.lab.cloudflare.server import PERMISSIONS
from inferagent.model.kernel import KernelLook
from inferagent.programs.doctor.verdict import Hop


@dataclass(frozen=True, slots=True)
class Fault:
    """`cure`: words that its cure contains. `breaks` gives the direction to look in, None: as ever."""

    name: str
    hop: Hop
    check: str
    cure: str
    breaks: Break


def _date(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")


FAULTS = (
    Fault("unknown key", Hop.CONFIGURATION, "config.valid", "write mode", bad_key),
    Fault("not configured", Hop.CONFIGURATION, "config.valid", "inferagent setup", no_configuration),
    Fault(
        "agent started with another mode",
        Hop.CONFIGURATION,
        "config.running",
        "restart",
        status(mode="observe"),
    ),
    Fault("mode observe", Hop.CONFIGURATION, "config.mode", 'mode = "act"', observing),
    Fault(
        "no API token", Hop.CREDENTIALS, "credentials.api-token", "setup", credential("cloudflare-api-token")
    ),
    Fault(
        "API token for all eyes",
        Hop.CREDENTIALS,
        "credentials.api-token",
        "chmod 600",
        credential("cloudflare-api-token", None, 0o644),
    ),
    Fault(
        "no tunnel token", Hop.CREDENTIALS, "credentials.tunnel-token", "setup", credential("tunnel-token")
    ),
    Fault(
        "torn tunnel token",
        Hop.CREDENTIALS,
        "credentials.tunnel-token",
        "setup",
        credential("tunnel-token", "eyJ"),
    ),
    Fault(
        "token of another tunnel",
        Hop.CREDENTIALS,
        "credentials.tunnel-token",
        "setup",
        credential("tunnel-token", "eyJhIjoiYSIsInMiOiJjdz09IiwidCI6Im90aGVyIn0="),
    ),
    Fault("API gone", Hop.ACCOUNT, "account.api", "firewall", api_gone),
    Fault("API ill", Hop.ACCOUNT, "account.api", "wait", api(kind="status", status=503)),
    Fault("too many calls", Hop.ACCOUNT, "account.api", "wait", api(kind="status", status=429)),
    Fault("API silent", Hop.ACCOUNT, "account.api", "curl", api(kind="hang")),
    Fault(
        "token revoked",
        Hop.ACCOUNT,
        "account.token",
        "API Tokens",
        credential("cloudflare-api-token", "no-such-token"),
    ),
    Fault("token expired", Hop.ACCOUNT, "account.token", "API Tokens", token(status="expired")),
    Fault("token expires soon", Hop.ACCOUNT, "account.token", "API Tokens", token(expires_on=_date(3))),
    Fault(
        "token without pools",
        Hop.ACCOUNT,
        "account.permissions",
        POOLS_WRITE,
        token(PERMISSIONS - {POOLS_WRITE, POOLS_READ}),
    ),
    Fault(
        "token that only reads",
        Hop.ACCOUNT,
        "account.permissions",
        POOLS_WRITE,
        token(PERMISSIONS - {POOLS_WRITE}),
    ),
    Fault("zone pending", Hop.DNS, "dns.zone", "name servers", zone_pending),
    Fault(
        "tunnel deleted",
        Hop.TUNNEL,
        "account.tunnel",
        "setup",
        api(kind="status", status=404, path=r"cfd_tunnel/[^/]+$"),
    ),
    Fault("no DNS record", Hop.DNS, "dns.record", "setup", removed("dns_record", HOST)),
    Fault("record not proxied", Hop.DNS, "dns.record", "proxy", changed("dns_record", HOST, proxied=False)),
    Fault(
        "record of another tunnel",
        Hop.DNS,
        "dns.record",
        "setup",
        changed("dns_record", HOST, content=f"{OTHER}.cfargotunnel.com"),
    ),
    Fault("name server silent", Hop.DNS, "dns.resolver", "resolv", says("silence")),
    Fault("name server fails", Hop.DNS, "dns.resolver", "resolv", says("failure")),
    Fault("pool deleted", Hop.POOL, "pool.there", "setup", removed("pool", "gpu-a")),
    Fault(
        "endpoint elsewhere",
        Hop.POOL,
        "pool.endpoint",
        "setup",
        endpoint(address=f"{OTHER}.cfargotunnel.com"),
    ),
    Fault(
        "endpoint's Host header",
        Hop.POOL,
        "pool.endpoint",
        "Host header",
        endpoint(header={"Host": [PUBLIC]}),
    ),
    Fault("endpoint disabled", Hop.POOL, "pool.endpoint", "enable", endpoint(enabled=False)),
    Fault(
        "pool of another machine",
        Hop.POOL,
        "pool.identity",
        "--take-over",
        changed("pool", "gpu-a", description=describe(Promise("beef" * 4, ("chat",)))),
    ),
    Fault(
        "pool disabled by hand", Hop.POOL, "pool.enabled", "resume", changed("pool", "gpu-a", enabled=False)
    ),
    Fault("pool without monitor", Hop.MONITOR, "monitor.there", "setup", no_monitor),
    Fault("monitor asks the engine", Hop.MONITOR, "monitor.there", "Monitors", monitor(path="/v1/models")),
    Fault("monitor takes 503", Hop.MONITOR, "monitor.there", "Monitors", monitor(expected_codes="2xx,5xx")),
    Fault("monitor by http", Hop.MONITOR, "monitor.there", "Monitors", monitor(type="http", port=80)),
    Fault("monitor never asks", Hop.MONITOR, "monitor.asked", "Access", never_asked),
    Fault(
        "balancer off", Hop.LOAD_BALANCER, "balancer.there", "enable", balancer(lambda _: {"enabled": False})
    ),
    Fault(
        "not in the balancer",
        Hop.LOAD_BALANCER,
        "balancer.there",
        "setup",
        balancer(lambda clinic: {"default_pools": [_other_pool(clinic)]}),
    ),
    Fault(
        "own pool is the fallback",
        Hop.LOAD_BALANCER,
        "balancer.fallback",
        "fallback pool",
        balancer(lambda clinic: {"fallback_pool": _own_pool(clinic)}),
    ),
    Fault(
        "fallback disabled",
        Hop.LOAD_BALANCER,
        "balancer.fallback",
        "enable",
        changed("pool", "llm-example-com-fallback", enabled=False),
    ),
    Fault(
        "no failover",
        Hop.LOAD_BALANCER,
        "balancer.failover",
        "failover",
        balancer(lambda _: {"adaptive_routing": {"failover_across_pools": False}}),
    ),
    Fault(
        "others promise another model",
        Hop.MODEL,
        "balancer.promises",
        "served-model-name",
        changed("pool", "gpu-b", description=describe(Promise("feed" * 4, ("code",)))),
    ),
    Fault("port 7844 shut", Hop.EDGE, "edge.port", "7844", port_shut),
    Fault(
        "UDP 7844 shut",
        Hop.EDGE,
        "edge.port",
        "UDP",
        ordered({"do": "udp", "open": False}, {"do": "udp", "open": True}),
    ),
    Fault("certificate not trusted", Hop.EDGE, "edge.tls", "Universal SSL", directed(lambda _: {"ca": None})),
    Fault(
        "HTTPS shut",
        Hop.EDGE,
        "edge.tls",
        "HTTPS",
        directed(lambda clinic: {"https_port": clinic.ports["dead"]}),
    ),
    Fault("Access asks for a login", Hop.ACCESS, "access.host", "Service Auth", access()),
    Fault("Access refuses the token", Hop.ACCESS, "access.host", "Service Auth", access_refuses_token),
    Fault("connector gone", Hop.TUNNEL, "connector.answers", "TUNNEL_METRICS", connector_gone),
    Fault("connector lost", Hop.TUNNEL, "connector.connections", "journalctl", connector_lost),
    Fault("another tunnel's connector", Hop.TUNNEL, "connector.tunnel", "setup", other_tunnel),
    Fault("connector too old", Hop.TUNNEL, "connector.version", "upgrade", old_connector),
    Fault("connector updates itself", Hop.TUNNEL, "connector.updates", "NO_AUTOUPDATE", updates_itself),
    Fault("rules in the wrong order", Hop.INGRESS, "ingress.rules", "Public Hostnames", ingress(_swapped)),
    Fault("only the catch-all", Hop.INGRESS, "ingress.rules", "setup", ingress(_catch_all)),
    Fault("no rule for the ready URL", Hop.INGRESS, "ingress.rules", "setup", ingress(_no_ready)),
    Fault("rule to another port", Hop.INGRESS, "ingress.rules", "setup", ingress(_other_port)),
    Fault("push refused", Hop.INGRESS, "ingress.pushed", "trailing", ingress(_trailing_slash)),
    Fault("ready URL behind Access", Hop.INGRESS, "ingress.access", "Protect with Access", ingress(_guarded)),
    Fault("Ollama's Host header", Hop.HOST_HEADER, "ingress.host-header", "localhost", ollama),
    Fault("engine gone", Hop.ENGINE, "engine.port", "restart", engine_gone),
    Fault("engine hung", Hop.ENGINE, "engine.answer", "restart", engine_hung),
    Fault("engine open to all", Hop.ENGINE, "engine.exposed", "127.0.0.1", engine_open),
    Fault("engine on the CPU", Hop.ENGINE, "engine.gpu", "nvidia_uvm", ollama_on_cpu),
    Fault(
        "model missing",
        Hop.MODEL,
        "model.listed",
        "--served-model-name code",
        model_missing,
    ),
    Fault("GPU lost", Hop.GPU, "gpu.report", "reboot", gpus(fault="lost")),
    Fault("GPU vanished", Hop.GPU, "gpu.report", "reboot", gpus(on_bus=2)),
    Fault("XID 79", Hop.GPU, "gpu.kernel", "reboot", gpus(kernel=KernelLook(faults=(XID,)))),
    Fault(
        "driver against library",
        Hop.GPU,
        "gpu.kernel",
        "reboot",
        gpus(kernel=KernelLook(mismatch="the NVIDIA driver in the kernel is 550.1, its library 555.2")),
    ),
    Fault("ready port taken", Hop.READY, "ready.here", "ss -ltnp", ready_taken),
    Fault("clock wrong", Hop.HOST, "host.clock", "timedatectl", clock_of_the_edge(600)),
    Fault(
        "agent not enabled",
        Hop.UNITS,
        "host.units",
        "enable --now",
        units(inferagent={"UnitFileState": "disabled"}),
    ),
    Fault(
        "cloudflared's update timer",
        Hop.UNITS,
        "host.parts",
        "disable --now",
        units(cloudflared_update={"LoadState": "loaded", "UnitFileState": "enabled"}),
    ),
    Fault("Spot VM", Hop.HOST, "host.spot", "instance group", google(scheduling__preemptible="TRUE")),
    Fault("VM lets HTTP in", Hop.HOST, "host.doors", "remove-tags", google(tags='["http-server"]')),
    Fault("agent gone", Hop.AGENT, "agent.answers", "systemctl start", agent_gone),
    Fault(
        "agent says out",
        Hop.AGENT,
        "agent.status",
        "inferagent events",
        status(exit_code=4, phase="out", sentence="out, hold-off 3m", cure="inferagent events"),
    ),
)
