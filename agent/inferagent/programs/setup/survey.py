"""What stands at Cloudflare before setup, read once, and the reasons for which setup refuses to go on."""

from dataclasses import dataclass, replace
from typing import Any

from inferagent.adapters.cloudflare.client import ApiError
from inferagent.adapters.cloudflare.identity import MARK, Promise, parse
from inferagent.config.settings import OWN_CONNECTOR
from inferagent.config.terms import READY_PATH
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup import pools, routing
from inferagent.programs.setup.objects import config_path, read_config
from inferagent.programs.setup.refusal import RefusedError
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.session import Object, Session

TUNNEL_HOST = ".cfargotunnel.com"


@dataclass(frozen=True, slots=True)
class Survey:
    """None: there is no such object. `rules` is the tunnel's present ingress."""

    account: str
    zone: str
    tunnel: Object | None
    rules: tuple[Object, ...]
    records: tuple[Object, ...]
    monitor: Object | None
    pools: tuple[Object, ...]
    load_balancer: Object | None

    def pool(self, name: str) -> Object | None:
        return next((pool for pool in self.pools if pool.get("name") == name), None)


def by_tunnel(request: SetupRequest, session: Session, adopted: str) -> SetupRequest:
    """With the name of the tunnel that an adopted connector runs, where nobody gave one."""
    if not adopted or request.tunnel:
        return request
    account = request.account or str((_zone(request, session).get("account") or {}).get("id", ""))
    try:
        found: Any = session.get("look for the tunnel", f"/accounts/{account}/cfd_tunnel/{adopted}")
    except ApiError as error:
        if error.status == 404:
            return request
        raise
    name = found.get("name") if isinstance(found, dict) and not found.get("deleted_at") else ""
    return replace(request, tunnel=str(name)) if name else request


def survey(request: SetupRequest, session: Session) -> Survey:
    zone = _zone(request, session)
    account = request.account or str((zone.get("account") or {}).get("id", ""))
    zone_id = str(zone["id"])
    tunnel = session.find("the tunnel", routing.tunnel(request, account).where)
    record = routing.record(request, zone_id).where
    balanced = request.membership is not MembershipKind.REPLICA
    balancer = routing.load_balancer(request, zone_id).where
    return Survey(
        account=account,
        zone=zone_id,
        tunnel=tunnel,
        rules=_rules(session, account, tunnel),
        records=tuple(session.entries("look for the DNS record", record.path, record.params)),
        monitor=session.find("the monitor", pools.monitor(request, account).where) if balanced else None,
        pools=tuple(session.entries("read the pools", pools.pools_path(account))) if balanced else (),
        load_balancer=session.find("the load balancer", balancer) if balanced else None,
    )


def _zone(request: SetupRequest, session: Session) -> Object:
    name = request.zone_name
    found = session.entries(f"look for the zone {name}", "/zones", {"name": name})
    if not found:
        raise RefusedError(
            f"cannot find the zone {name}: is it in the token's account, and may the token read it? (--zone)"
        )
    return found[0]


def _rules(session: Session, account: str, tunnel: Object | None) -> tuple[Object, ...]:
    if tunnel is None:
        return ()
    config = read_config(session, config_path(account, str(tunnel["id"]))) or {}
    return tuple(rule for rule in config.get("ingress") or [] if isinstance(rule, dict))


def refuse(request: SetupRequest, found: Survey, machine: str, session: Session, adopted: str = "") -> None:
    """Raise RefusedError for the first reason not to go on. `adopted`: the tunnel that the connector runs."""
    _refuse_other_tunnel(request, found, adopted)
    _refuse_tunnel(request, found)
    _refuse_record(request, found, session)
    if request.membership is MembershipKind.REPLICA:
        return
    _refuse_number(request, found)
    if request.membership is MembershipKind.OWN_POOL:
        _refuse_pool(request, found, machine)
    _refuse_promises(request, found)


def _refuse_other_tunnel(request: SetupRequest, found: Survey, adopted: str) -> None:
    if not adopted or (found.tunnel is not None and found.tunnel.get("id") == adopted):
        return
    there = "which is another one" if found.tunnel is not None else "which there is not"
    raise RefusedError(
        f"cannot adopt {request.connector.unit}: it runs the tunnel {adopted}, and setup would use "
        f"{request.tunnel_name}, {there}; give the name of its tunnel (--tunnel), or leave it alone and let "
        f"setup run a connector of its own (--connector-unit {OWN_CONNECTOR})"
    )


def _refuse_tunnel(request: SetupRequest, found: Survey) -> None:
    if found.tunnel is None:
        return
    name, hostname = request.tunnel_name, request.own_hostname
    remote = found.tunnel.get("remote_config")
    if remote is False or found.tunnel.get("config_src") == "local":
        raise RefusedError(
            f"cannot take over the tunnel {name}: a file on its host configures it; "
            "name another one (--tunnel)"
        )
    same = [rule for rule in found.rules if rule.get("hostname") == hostname]
    foreign = [str(rule["path"]) for rule in same if rule.get("path") not in (None, "", READY_PATH)]
    if foreign:
        raise RefusedError(
            f"cannot take over {hostname}: the tunnel {name} has rules of its own for {', '.join(foreign)}, "
            "which would no longer apply; choose another --hostname, or remove them"
        )
    if request.membership is MembershipKind.REPLICA:
        _refuse_replica(request, same)


def _refuse_replica(request: SetupRequest, same: list[Object]) -> None:
    """All replicas of a tunnel share its ingress, so their engines listen at one and the same port."""
    wanted = {rule["service"] for rule in routing.own_rules(request)}
    other = [str(rule.get("service")) for rule in same if rule.get("service") not in wanted]
    if other:
        raise RefusedError(
            f"cannot join the tunnel {request.tunnel_name}: its replicas answer at {', '.join(other)}, and "
            f"this host at {', '.join(sorted(wanted))}; give the same --engine-url and --ready-port on each"
        )


def _refuse_record(request: SetupRequest, found: Survey, session: Session) -> None:
    mine = f"{found.tunnel['id']}{TUNNEL_HOST}" if found.tunnel else ""
    for record in found.records:
        content = str(record.get("content", ""))
        if record.get("type") not in ("A", "AAAA", "CNAME") or content == mine:
            continue
        if not _dangling(session, found.account, content):
            raise RefusedError(
                f"cannot take over {request.own_hostname}: it leads to {content}; name the tunnel behind it "
                "(--tunnel), choose another --hostname, or delete the record"
            )


def _dangling(session: Session, account: str, content: str) -> bool:
    """Whether a record leads to a tunnel that is gone: then nobody is served by it."""
    if not content.endswith(TUNNEL_HOST):
        return False
    tunnel = content.removesuffix(TUNNEL_HOST)
    try:
        found: Any = session.get("look for a tunnel", f"/accounts/{account}/cfd_tunnel/{tunnel}")
    except ApiError as error:
        if error.status == 404:
            return True
        raise
    return isinstance(found, dict) and bool(found.get("deleted_at"))


def _refuse_number(request: SetupRequest, found: Survey) -> None:
    if request.membership is MembershipKind.PULL and not may_join(request, found):
        return
    more = pools.pools_to_make(request, {str(pool.get("name")) for pool in found.pools})
    if len(found.pools) + more > request.pool_limit:
        raise RefusedError(
            f"cannot add {request.host}: the account has {len(found.pools)} of {request.pool_limit} pools, "
            f"and this host needs {more} more; use --membership pull (one pool for all hosts), or central"
        )


def _refuse_pool(request: SetupRequest, found: Survey, machine: str) -> None:
    pool = found.pool(request.pool_name)
    if pool is None:
        return
    entries = pool.get("origins") or []
    if len(entries) > 1:
        raise RefusedError(
            f"cannot take over the pool {request.pool_name}: it has {len(entries)} endpoints, and a host "
            "needs a pool of its own; choose another --pool, or --membership pull"
        )
    promise = parse(pool.get("description"))
    other = promise.machine if promise else ""
    if other and machine and other != machine and not request.take_over:
        raise RefusedError(
            f"cannot take over the pool {request.pool_name}: another machine ({other}) set it up, and this "
            f"one is {machine}; choose another --host, or --take-over if that machine is gone for good"
        )


def _refuse_promises(request: SetupRequest, found: Survey) -> None:
    """Whoever asks for a public model name must get it from any host."""
    balancer = found.load_balancer or {}
    beside = set(balancer.get("default_pools") or [])
    for pool in found.pools:
        promise = parse(pool.get("description"))
        alone = pool.get("name") == request.pool_name and not _shared_with_others(request, pool)
        if pool.get("id") not in beside or promise is None or alone:
            continue
        if promise.models != request.models:
            raise RefusedError(_difference(request, str(pool.get("name")), promise))


def _shared_with_others(request: SetupRequest, pool: Object) -> bool:
    return any(entry.get("name") != request.host for entry in pool.get("origins") or [])


def _difference(request: SetupRequest, name: str, promise: Promise) -> str:
    here, there = set(request.models), set(promise.models)
    words = []
    if there - here:
        words.append(f"{name} promises {', '.join(sorted(there - here))} and this host does not")
    if here - there:
        words.append(f"this host promises {', '.join(sorted(here - there))} and {name} does not")
    return (
        f"cannot serve {request.public} together with pool {name}: {'; '.join(words)}. Give every host the "
        "same public names: `ollama cp MODEL NAME`, or vllm's `--served-model-name NAME`, and --serves"
    )


def may_join(request: SetupRequest, found: Survey) -> bool:
    """pull: a pool that setup made or would make. Others' pools, their monitor too, stay as they are."""
    pool = found.pool(request.pool_name)
    return pool is None or str(pool.get("description", "")).startswith(MARK)
