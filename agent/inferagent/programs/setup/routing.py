"""The tunnel, its ingress, the hostname and the load balancer that setup wants."""

from inferagent.adapters.cloudflare.identity import MARK
from inferagent.config.terms import READY_PATH
from inferagent.model.desired import EngineKind
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.objects import Ids, Wanted, differing
from inferagent.programs.setup.pools import UNKNOWN
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.session import Object, Where

# Ollama refuses other names. vLLM's server closes a connection that idles for 5 s: cloudflared, which keeps
# its own for 90 s, would now and then send a request into the closing one, and cannot repeat a POST.
OPTIONS: dict[EngineKind, Object] = {
    EngineKind.OLLAMA: {"httpHostHeader": "localhost"},
    EngineKind.VLLM: {"keepAliveTimeout": 3},
}
SHOWN = {"httpHostHeader": "HTTP Host Header", "keepAliveTimeout": "Keep Alive Timeout in s"}


def tunnel(request: SetupRequest, account: str) -> Wanted:
    name = request.tunnel_name
    where = Where(
        f"/accounts/{account}/cfd_tunnel", {"name": name}, params={"name": name, "is_deleted": "false"}
    )
    return Wanted(
        "tunnel",
        "tunnel",
        f"tunnel {name}",
        where,
        make=lambda _ids: {"name": name, "config_src": "cloudflare"},
        change=lambda _existing, _ids: {},
    )


def own_rules(request: SetupRequest) -> list[Object]:
    """The ready URL first: whatever else the tunnel serves, the monitor gets the verdict."""
    hostname = request.own_hostname
    ready = {
        "hostname": hostname,
        "path": READY_PATH,
        "service": f"http://127.0.0.1:{request.ready_port}",
    }
    options = dict(OPTIONS[request.engine.kind])
    return [ready, {"hostname": hostname, "service": request.engine.url, "originRequest": options}]


def ingress(request: SetupRequest, current: list[Object]) -> list[Object]:
    """All rules: ours first, then the foreign ones as they were, the catch-all last."""
    ready, rule = own_rules(request)
    others = [r for r in current if r.get("hostname") != request.own_hostname]
    if not others or others[-1].get("hostname") or others[-1].get("path"):
        others.append({"service": "http_status:404"})
    same = [r for r in current if r.get("hostname") == request.own_hostname]
    kept_ready = next((r for r in same if r.get("path") == READY_PATH), {})
    kept_rule = next((r for r in same if not r.get("path")), {})
    return [_merged(kept_ready, ready), _merged(kept_rule, rule), *others]


def _merged(kept: Object, wanted: Object) -> Object:
    options = {**(kept.get("originRequest") or {}), **(wanted.get("originRequest") or {})}
    rule = {**kept, **wanted}
    rule.pop("originRequest", None)
    return {**rule, "originRequest": options} if options else rule


def record(request: SetupRequest, zone: str) -> Wanted:
    """The hostname of this host; for replicas the public one."""
    name = request.own_hostname

    def make(ids: Ids) -> Object:
        return {"type": "CNAME", "name": name, "ttl": 1, "comment": MARK, **target(ids)}

    def target(ids: Ids) -> Object:
        return {"content": f"{ids.get('tunnel', UNKNOWN)}.cfargotunnel.com", "proxied": True}

    where = Where(f"/zones/{zone}/dns_records", {"name": name, "type": "CNAME"}, params={"name": name})
    return Wanted(
        "dns record",
        "dns",
        f"DNS record {name}",
        where,
        make,
        lambda existing, ids: differing(existing, target(ids)),
    )


def load_balancer(request: SetupRequest, zone: str) -> Wanted:
    def weights(ids: Ids) -> dict[str, float]:
        by_pool = request.weight is not None and request.membership is MembershipKind.OWN_POOL
        return {ids.get("pool", UNKNOWN): (request.weight or 0) / 100} if by_pool else {}

    def make(ids: Ids) -> Object:
        return {
            "name": request.public,
            "description": f"{MARK} {request.public}",
            "proxied": True,
            "enabled": True,
            "default_pools": [ids.get("pool", UNKNOWN)],
            "fallback_pool": ids.get("fallback", UNKNOWN),
            "steering_policy": "random",
            "random_steering": {"default_weight": 1.0, "pool_weights": weights(ids)},
            "adaptive_routing": {"failover_across_pools": True},
        }

    def change(existing: Object, ids: Ids) -> Object:
        wanted: Object = {
            "proxied": True,
            "fallback_pool": ids.get("fallback", UNKNOWN),
            "adaptive_routing": {**(existing.get("adaptive_routing") or {}), "failover_across_pools": True},
            "default_pools": _with(existing.get("default_pools") or [], ids.get("pool", UNKNOWN)),
        }
        if weights(ids):
            wanted["steering_policy"] = "random"
            wanted["random_steering"] = _steered(existing, weights(ids))
        return differing(existing, wanted)

    def parts(ids: Ids) -> Object:
        share = weights(ids)
        steering = {"random_steering": {"pool_weights": share}} if share else {}
        return {"default_pools": [ids.get("pool", UNKNOWN)], **steering}

    where = Where(f"/zones/{zone}/load_balancers", {"name": request.public})
    title = f"load balancer {request.public}"
    return Wanted("load balancer", "load_balancer", title, where, make, change, parts)


def _with(pools: list[str], pool: str) -> list[str]:
    return pools if pool in pools else [*pools, pool]


def _steered(existing: Object, weights: dict[str, float]) -> Object:
    steering = existing.get("random_steering") or {}
    return {
        "default_weight": 1.0,
        **steering,
        "pool_weights": {**(steering.get("pool_weights") or {}), **weights},
    }
