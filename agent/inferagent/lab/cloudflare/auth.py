"""Who calls, and whether the token may: refusals differ by what is wrong, as the real API's do."""

from collections.abc import Mapping

from inferagent.lab.cloudflare.calls import Route
from inferagent.lab.cloudflare.errors import ApiError
from inferagent.lab.cloudflare.store import Store, Token

SCHEME = "Bearer "


def find_token(store: Store, headers: Mapping[str, str]) -> Token | None:
    """The token of a request, active or not; None where the store does not know it."""
    return store.tokens.get(headers.get("Authorization", "").removeprefix(SCHEME))


def admit(store: Store, headers: Mapping[str, str], route: Route, params: Mapping[str, str]) -> Token:
    """The token, once it may take this route. Raises ApiError."""
    token = _known(store, headers, asks_itself=route.path.endswith("/tokens/verify"))
    account, zone = params.get("account"), params.get("zone")
    elsewhere = account not in (None, store.account["id"]) or zone not in (None, store.zone["id"])
    if elsewhere or not (not route.permissions or token.permissions.intersection(route.permissions)):
        raise ApiError(403, 10000, "Authentication error")
    return token


def _known(store: Store, headers: Mapping[str, str], asks_itself: bool) -> Token:
    header = headers.get("Authorization")
    if header is None:
        raise ApiError(400, 9106, "the Authorization header is missing")
    if not header.startswith(SCHEME) or not header.removeprefix(SCHEME).isprintable() or " " in header[7:]:
        chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
        raise ApiError(400, 6003, "Invalid request headers", chain)
    token = find_token(store, headers)
    if token is None and asks_itself:
        raise ApiError(401, 1000, "Invalid API Token")
    if token is None or (token.status != "active" and not asks_itself):
        raise ApiError(403, 9109, "Invalid access token")
    return token
