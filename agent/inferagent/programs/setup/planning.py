"""From a request and a survey to the plan: the steps that are still needed, and what is left to a person."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inferagent.config.secrets import API_TOKEN, TUNNEL_TOKEN
from inferagent.model.membership import MembershipKind
from inferagent.ports import PortError
from inferagent.programs.setup import pools, routing
from inferagent.programs.setup.adopt_steps import LocalStep
from inferagent.programs.setup.config_file import config_text
from inferagent.programs.setup.files import FileStep, read_text
from inferagent.programs.setup.objects import Ids, IngressStep, ObjectStep, Work, step_for
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.session import Session
from inferagent.programs.setup.survey import Survey, may_join

SetupStep = ObjectStep | IngressStep | FileStep | LocalStep


@dataclass(frozen=True, slots=True)
class Todo:
    """`notes` say what a person has to do by hand."""

    steps: tuple[SetupStep, ...]
    notes: tuple[str, ...] = ()
    zone: str = ""


def plan_with_api(request: SetupRequest, found: Survey, work: Work, machine: str, token: str) -> Todo:
    """All that can be made with an API token."""
    work.ids |= {"account": found.account, "zone": found.zone}
    joins = request.membership is not MembershipKind.PULL or may_join(request, found)
    balanced = request.membership is not MembershipKind.REPLICA and joins
    steps: list[SetupStep | None] = [
        step_for(work, routing.tunnel(request, found.account), found.tunnel),
        _tunnel_token(request, found, work),
        _ingress(request, found, work),
        step_for(work, routing.record(request, found.zone), _cname(found)),
        *(_balanced(request, found, work, machine) if balanced else ()),
    ]
    if request.membership is MembershipKind.OWN_POOL:
        steps.append(_secret_file(request, work.ids, API_TOKEN, token, "the API token"))
    interval = _interval(request, found) if balanced else None
    steps.append(_config(request, work.ids, interval))
    notes = () if joins else (_by_hand(request),)
    return Todo(tuple(step for step in steps if step is not None), notes, found.zone)


def plan_without_api(request: SetupRequest, tunnel: str = "") -> Todo:
    """pull and replica without a token: the configuration, and what a person does at Cloudflare.

    `tunnel` is the id of one that is adopted, with its token.
    """
    path = request.credentials_dir / TUNNEL_TOKEN
    text = read_text(path)
    ids: Ids = {}
    notes = list(_chores(request))
    if tunnel:
        ids["tunnel"] = tunnel
    elif text is None:
        notes.insert(0, f"put the tunnel's token into {path} (mode 0600), then run setup again")
    else:
        ids["tunnel"] = _tunnel_of(text, path)
    step = _config(request, ids, None)
    return Todo(() if step is None else (step,), tuple(notes))


def _chores(request: SetupRequest) -> Iterator[str]:
    ready, rule = routing.own_rules(request)
    given = rule["originRequest"].items()
    options = ", ".join(f"{routing.SHOWN[name]}: {value}" for name, value in given)
    yield (
        f"give the tunnel these rules first: {ready['hostname']} with path {ready['path']} to "
        f"{ready['service']}, then {rule['hostname']} to {rule['service']} ({options})"
    )
    if request.membership is MembershipKind.PULL:
        yield _by_hand(request)


def _by_hand(request: SetupRequest) -> str:
    return (
        f"make the tunnel of {request.own_hostname} an endpoint of your pool (Host header "
        f"{request.own_hostname}); when `inferagent status` says serving, point the pool's monitor at "
        f"{pools.READY_PATH} (HTTPS, GET, port 443, expected code 200)"
    )


def _balanced(request: SetupRequest, found: Survey, work: Work, machine: str) -> Iterator[SetupStep | None]:
    """Each after the one whose id it needs."""
    account, zone = found.account, found.zone
    shared = request.membership is MembershipKind.PULL
    yield step_for(work, pools.monitor(request, account), found.monitor)
    own = pools.shared_pool(request, account) if shared else pools.own_pool(request, account, machine)
    yield step_for(work, own, found.pool(request.pool_name))
    yield step_for(work, pools.fallback_pool(request, account), found.pool(request.fallback_name))
    yield step_for(work, routing.load_balancer(request, zone), found.load_balancer)


def _cname(found: Survey) -> dict[str, object] | None:
    return next((record for record in found.records if record.get("type") == "CNAME"), None)


def _ingress(request: SetupRequest, found: Survey, work: Work) -> IngressStep | None:
    current = list(found.rules)
    if routing.ingress(request, current) == current:
        return None
    hostname = request.own_hostname
    change = f"route {hostname} through the tunnel: the ready URL first, then {request.engine.url}"
    title = f"ingress of {hostname}"
    return IngressStep(work, found.account, title, change, lambda rules: routing.ingress(request, rules))


def _tunnel_token(request: SetupRequest, found: Survey, work: Work) -> FileStep | None:
    """Fetched when the file is written; compared now where the tunnel exists."""

    def text(ids: Ids) -> str:
        return _fetch_token(work.session, found.account, ids["tunnel"]) + "\n"

    path = request.credentials_dir / TUNNEL_TOKEN
    if found.tunnel is not None and read_text(path) == text(work.ids):
        return None
    return FileStep(work.ids, path, text, f"write {path} (the tunnel's token, 0600)", secret=True)


def _fetch_token(session: Session, account: str, tunnel: str) -> str:
    token = session.get("read the tunnel's token", f"/accounts/{account}/cfd_tunnel/{tunnel}/token")
    if not isinstance(token, str) or not token:
        raise PortError("cannot read the tunnel's token: the answer is no text")
    return token


def _tunnel_of(token: str, path: Path) -> str:
    """The tunnel's id, which its token carries."""
    try:
        return str(json.loads(base64.b64decode(token.strip(), validate=True))["t"])
    except (ValueError, KeyError, TypeError) as error:
        raise PortError(f"cannot use {path}: it does not hold a tunnel's token") from error


def _secret_file(request: SetupRequest, ids: Ids, name: str, text: str, what: str) -> FileStep | None:
    path = request.credentials_dir / name
    if (read_text(path) or "").strip() == text:
        return None
    return FileStep(ids, path, lambda _: text + "\n", f"write {path} ({what}, 0600)", secret=True)


def _interval(request: SetupRequest, found: Survey) -> int:
    kept = (found.monitor or {}).get("interval", pools.INTERVAL_S)
    return int(request.monitor_interval or kept)


def _config(request: SetupRequest, ids: Ids, interval: int | None) -> FileStep | None:
    path = request.config_dir / "config.toml"
    existing = read_text(path)
    known = {key: ids.get(key, pools.UNKNOWN) for key in ("pool", "load_balancer", "account", "zone")}
    if config_text(request, existing, {**known, **ids}, interval) == existing:
        return None

    def text(ids: Ids) -> str:
        return config_text(request, read_text(path), ids, interval)

    verb = "write" if existing is None else "change"
    return FileStep(ids, path, text, f"{verb} {path}; {_mode(request)}")


def _mode(request: SetupRequest) -> str:
    """From its next start on the agent acts: a person is to know that before they say yes."""
    if dict(request.settings).get("mode", "act") == "observe":
        return "mode observe: this host is only watched (--set mode=act drains and repairs it)"
    return "mode act: from now on this host is drained and repaired (--set mode=observe only watches)"
