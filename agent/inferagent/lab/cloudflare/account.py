"""The account, its zone, and what a token may ask about itself."""

from inferagent.lab.cloudflare import dns, load_balancers
from inferagent.lab.cloudflare.calls import Answer, Call, Route, paged
from inferagent.lab.cloudflare.errors import ApiError
from inferagent.lab.cloudflare.store import Object

PER_PAGE = 20
TOKENS_READ, ACCOUNT_TOKENS_READ = "API Tokens Read", "Account API Tokens Read"
ZONE_GROUPS = (
    "Zone Read",
    "Zone Write",
    dns.READ,
    dns.WRITE,
    load_balancers.READ,
    load_balancers.WRITE,
)
VALID = {"code": 10000, "message": "This API Token is valid and active", "type": None}


def list_accounts(call: Call) -> Answer:
    if call.token.account_owned:
        raise ApiError(400, 1001, "cannot list accounts with an account-owned token")
    account = _account(call)
    return paged(
        call, [account] if call.query.get("name", account["name"]) == account["name"] else [], PER_PAGE
    )


def get_account(call: Call) -> Answer:
    return Answer(_account(call))


def list_zones(call: Call) -> Answer:
    """Any permission on a zone lets a token find that zone by its name."""
    if not call.token.permissions.intersection(ZONE_GROUPS):
        needed = "com.cloudflare.api.account.zone.list"
        raise ApiError(403, 0, f"the token requires permission {needed!r} to list zones")
    zone = _zone(call)
    wanted = call.query.get("name", zone["name"]) == zone["name"]
    owner = call.query.get("account.id", zone["account"]["id"]) == zone["account"]["id"]
    return paged(call, [zone] if wanted and owner else [], PER_PAGE)


def get_zone(call: Call) -> Answer:
    return Answer(_zone(call))


def verify_user_token(call: Call) -> Answer:
    """A token owned by the account is unknown here."""
    if call.token.account_owned:
        raise ApiError(401, 1000, "Invalid API Token")
    return _verified(call)


def verify_account_token(call: Call) -> Answer:
    if not call.token.account_owned:
        raise ApiError(401, 1000, "Invalid API Token")
    return _verified(call)


def _verified(call: Call) -> Answer:
    token = call.token
    told = {"id": token.id, "status": token.status} | (
        {"expires_on": token.expires_on} if token.expires_on else {}
    )
    return Answer(told, messages=[VALID] if token.status == "active" else [])


def get_token(call: Call) -> Answer:
    """What the token that asks may do; of others nothing is told."""
    token = call.token
    if call.params["token"] != token.id:
        raise ApiError(404, 1003, "Token not found")
    groups = [{"id": name.casefold(), "name": name} for name in sorted(token.permissions)]
    policy = {"id": "1", "effect": "allow", "permission_groups": groups, "resources": {}}
    return Answer({"id": token.id, "name": "lab", "status": token.status, "policies": [policy]})


def _account(call: Call) -> Object:
    kept = call.store.account
    return {"id": kept["id"], "name": kept["name"], "type": "standard", "created_on": CREATED}


def _zone(call: Call) -> Object:
    kept, account = call.store.zone, call.store.account
    return {
        "id": kept["id"],
        "name": kept["name"],
        "status": kept.get("status", "active"),
        "type": "full",
        "paused": False,
        "development_mode": 0,
        "account": {"id": account["id"], "name": account["name"]},
        "owner": {"id": account["id"], "name": account["name"], "type": "organization"},
        "plan": {"id": "f" * 32, "name": "Free Website", "legacy_id": "free", "price": 0, "currency": "USD"},
        "meta": {"cdn_only": False, "dns_only": False, "phishing_detected": False, "step": 2},
        "name_servers": ["ada.ns.example.net", "bob.ns.example.net"],
        "original_name_servers": None,
        "activated_on": CREATED,
        "created_on": CREATED,
        "modified_on": CREATED,
    }


CREATED = "2026-01-01T00:00:00.000000Z"
ROUTES = [
    Route("GET", "/accounts", list_accounts),
    Route("GET", "/accounts/{account}", get_account),
    Route("GET", "/zones", list_zones),
    Route("GET", "/zones/{zone}", get_zone, ZONE_GROUPS),
    Route("GET", "/user/tokens/verify", verify_user_token),
    Route("GET", "/accounts/{account}/tokens/verify", verify_account_token),
    Route("GET", "/user/tokens/{token}", get_token, (TOKENS_READ,)),
    Route("GET", "/accounts/{account}/tokens/{token}", get_token, (ACCOUNT_TOKENS_READ,)),
]
