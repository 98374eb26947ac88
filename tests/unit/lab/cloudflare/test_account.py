from typing import Any

import pytest

from inferagent.lab.cloudflare import account
from inferagent.lab.cloudflare.store import Token


def token(*permissions: str, **more: Any) -> Token:
    return Token("t1", frozenset(permissions), **more)


@pytest.mark.parametrize("group", ["Zone Read", "DNS Write", "Load Balancers Write"])
def test_any_permission_on_a_zone_finds_it_by_name(api: Any, group: str) -> None:
    api.token = token(group)
    found = api(account.list_zones, query={"name": "example.com"})
    assert [zone["id"] for zone in found] == [api.store.zone["id"]]
    assert api(account.list_zones, query={"name": "elsewhere.com"}) == []
    assert api(account.list_zones, query={"account.id": "another"}) == []
    assert api(account.list_zones, query={"page": "2"}) == []


def test_no_permission_on_a_zone_lists_none(api: Any) -> None:
    api.token = token("Cloudflare Tunnel Write")
    assert api.refused(account.list_zones) == (403, 0)


def test_accounts_are_not_listed_for_tokens_of_an_account(api: Any) -> None:
    assert [found["id"] for found in api(account.list_accounts)] == [api.store.account["id"]]
    assert api(account.list_accounts, query={"name": "another"}) == []
    api.token = token(account_owned=True)
    assert api.refused(account.list_accounts) == (400, 1001)


def test_each_kind_of_token_is_verified_at_its_own_place(api: Any) -> None:
    answer = api.answer(account.verify_user_token)
    assert (answer.result["status"], answer.messages[0]["code"]) == ("active", 10000)
    assert api.refused(account.verify_account_token) == (401, 1000)
    api.token = token(account_owned=True, status="expired")
    assert api(account.verify_account_token)["status"] == "expired"
    assert api.refused(account.verify_user_token) == (401, 1000)
