from typing import Any

import pytest

from inferagent.lab.cloudflare import account, pools
from inferagent.lab.cloudflare.auth import admit, find_token
from inferagent.lab.cloudflare.calls import Route
from inferagent.lab.cloudflare.errors import ApiError

LIST = next(route for route in pools.ROUTES if route.method == "GET")
EDIT = next(route for route in pools.ROUTES if route.method == "PATCH")
VERIFY = next(route for route in account.ROUTES if route.path == "/user/tokens/verify")


def outcome(api: Any, header: str | None, route: Route, **params: str) -> tuple[int, int] | None:
    headers = {} if header is None else {"Authorization": header}
    try:
        admit(api.store, headers, route, params)
    except ApiError as error:
        return error.status, error.code
    return None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (400, 9106)),
        ("", (400, 6003)),
        ("Basic abc", (400, 6003)),
        ("Bearer two words", (400, 6003)),
        ("Bearer nobody", (403, 9109)),
        ("Bearer off", (403, 9109)),
        ("Bearer reader", None),
    ],
)
def test_refusals_say_what_is_wrong(api: Any, header: str | None, expected: tuple[int, int] | None) -> None:
    api.store.add_token("reader", [pools.READ])
    api.store.add_token("off", [pools.READ], status="disabled")
    assert outcome(api, header, LIST) == expected


def test_write_includes_read_and_not_the_other_way(api: Any) -> None:
    api.store.add_token("reader", [pools.READ])
    api.store.add_token("writer", [pools.WRITE])
    api.store.add_token("stranger", ["DNS Write"])
    asked = [outcome(api, f"Bearer {who}", LIST) for who in ("reader", "writer", "stranger")]
    assert asked == [None, None, (403, 10000)]
    assert outcome(api, "Bearer reader", EDIT) == (403, 10000)
    assert outcome(api, "Bearer writer", EDIT) is None


def test_another_account_or_zone_is_out_of_reach(api: Any) -> None:
    api.store.add_token("writer", [pools.WRITE])
    assert outcome(api, "Bearer writer", LIST, account=api.store.account["id"]) is None
    assert outcome(api, "Bearer writer", LIST, account="another") == (403, 10000)
    assert outcome(api, "Bearer writer", LIST, zone="another") == (403, 10000)


def test_a_disabled_token_may_ask_about_itself_and_an_unknown_one_is_told(api: Any) -> None:
    api.store.add_token("off", [], status="disabled")
    assert outcome(api, "Bearer off", VERIFY) is None
    assert outcome(api, "Bearer nobody", VERIFY) == (401, 1000)


def test_the_token_of_a_request_is_found(api: Any) -> None:
    token = api.store.add_token("a", [])
    assert find_token(api.store, {"Authorization": "Bearer a"}) is token
    assert find_token(api.store, {}) is None
