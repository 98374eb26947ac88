"""What is looked at, and every reason to refuse, in an account in memory."""

from dataclasses import replace
from typing import Any

import pytest

from inferagent.adapters.cloudflare.identity import Promise, describe
from inferagent.config.terms import READY_PATH
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.refusal import RefusedError
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.survey import by_tunnel, may_join, refuse, survey

POOLS, TUNNELS = "/accounts/acc/load_balancers/pools", "/accounts/acc/cfd_tunnel"
CONFIG = f"{TUNNELS}/t/configurations"
MACHINE = "0" * 16


@pytest.fixture
def lived(account: Any) -> Any:
    """A zone, a tunnel of this host's name, and its record."""
    account.lists = {
        "/zones": [{"id": "zone", "name": "example.com", "account": {"id": "acc"}}],
        TUNNELS: [{"id": "t", "name": "gpu-a", "config_src": "cloudflare", "remote_config": True}],
        "/zones/zone/dns_records": [
            {"id": "d", "type": "CNAME", "name": "gpu-a.example.com", "content": "t.cfargotunnel.com"}
        ],
    }
    account.documents[CONFIG] = {"config": {"ingress": [{"service": "http_status:404"}]}}
    return account


def refusal(request: SetupRequest, account: Any) -> str:
    with pytest.raises(RefusedError, match="cannot") as caught:
        refuse(request, survey(request, account), MACHINE, account)
    return str(caught.value)


def test_everything_is_found_by_name(plain: SetupRequest, lived: Any) -> None:
    lived.lists[POOLS] = [{"id": "p", "name": "gpu-a"}]
    found = survey(plain, lived)
    assert (found.account, found.zone) == ("acc", "zone")
    assert found.tunnel is not None
    assert found.rules == ({"service": "http_status:404"},)
    assert found.pool("gpu-a") == {"id": "p", "name": "gpu-a"}
    assert found.pool("other") is None
    refuse(plain, found, MACHINE, lived)


def test_a_zone_that_cannot_be_seen(plain: SetupRequest, account: Any) -> None:
    with pytest.raises(RefusedError, match=r"cannot find the zone example\.com"):
        survey(plain, account)


def test_the_tunnel_is_that_of_the_connector_that_is_adopted(plain: SetupRequest, lived: Any) -> None:
    lived.lists[TUNNELS].append({"id": "u", "name": "older", "config_src": "cloudflare"})
    assert by_tunnel(plain, lived, "u").tunnel == "older"
    assert by_tunnel(plain, lived, "") is plain
    assert by_tunnel(plain, lived, "gone") is plain
    named = replace(plain, tunnel="mine")
    assert by_tunnel(named, lived, "u") is named
    refuse(plain, survey(plain, lived), MACHINE, lived, "t")
    for other in ("u", "gone"):
        with pytest.raises(RefusedError, match=f"it runs the tunnel {other}, and setup would use gpu-a"):
            refuse(plain, survey(plain, lived), MACHINE, lived, other)


def test_a_tunnel_that_a_file_configures(plain: SetupRequest, lived: Any) -> None:
    lived.lists[TUNNELS][0] |= {"remote_config": False, "config_src": "local"}
    assert "--tunnel" in refusal(plain, lived)


def test_path_rules_of_others_would_be_shadowed(plain: SetupRequest, lived: Any) -> None:
    rule = {"hostname": "gpu-a.example.com", "path": "^/admin", "service": "http_status:403"}
    ready = {"hostname": "gpu-a.example.com", "path": READY_PATH, "service": "http://127.0.0.1:1"}
    lived.documents[CONFIG]["config"]["ingress"] = [ready, rule, {"service": "http_status:404"}]
    assert "^/admin" in refusal(plain, lived)
    lived.documents[CONFIG]["config"]["ingress"] = [ready, {"service": "http_status:404"}]
    refuse(plain, survey(plain, lived), MACHINE, lived)


def test_a_hostname_that_leads_elsewhere(plain: SetupRequest, lived: Any) -> None:
    record = lived.lists["/zones/zone/dns_records"][0]
    record["content"] = "lb.elsewhere.net"
    assert "lb.elsewhere.net" in refusal(plain, lived)
    record["content"] = "gone.cfargotunnel.com"
    refuse(plain, survey(plain, lived), MACHINE, lived)
    lived.lists[TUNNELS].append({"id": "gone", "name": "other", "deleted_at": None})
    assert "gone.cfargotunnel.com" in refusal(plain, lived)
    lived.lists[TUNNELS][-1]["deleted_at"] = "yesterday"
    refuse(plain, survey(plain, lived), MACHINE, lived)


def test_a_text_record_of_the_same_name_is_no_matter(plain: SetupRequest, lived: Any) -> None:
    lived.lists["/zones/zone/dns_records"].append({"id": "x", "type": "TXT", "content": "hello"})
    found = survey(plain, lived)
    refuse(plain, found, MACHINE, lived)
    assert len(found.records) == 2


def test_a_pool_of_many_endpoints_is_nobodys_own(plain: SetupRequest, lived: Any) -> None:
    lived.lists[POOLS] = [{"id": "p", "name": "gpu-a", "origins": [{"address": "a"}, {"address": "b"}]}]
    assert "--membership pull" in refusal(plain, lived)


def test_another_machine(plain: SetupRequest, lived: Any) -> None:
    description = describe(Promise("f" * 16, ("chat",)))
    lived.lists[POOLS] = [{"id": "p", "name": "gpu-a", "description": description, "origins": []}]
    assert "f" * 16 in refusal(plain, lived)
    refuse(replace(plain, take_over=True), survey(plain, lived), MACHINE, lived)
    refuse(plain, survey(plain, lived), "", lived)


@pytest.mark.parametrize(("models", "words"), [(("chat", "embed"), "promises embed"), ((), "promises chat")])
def test_promises_that_differ(plain: SetupRequest, lived: Any, models: tuple[str, ...], words: str) -> None:
    lived.lists[POOLS] = [
        {"id": "other", "name": "gpu-b", "description": describe(Promise("1", models))},
        {"id": "else", "name": "web", "description": describe(Promise("2", ("else",)))},
    ]
    balancer = {"id": "l", "name": "llm.example.com", "default_pools": ["other"]}
    lived.lists["/zones/zone/load_balancers"] = [balancer]
    assert words in refusal(plain, lived)
    balancer["default_pools"] = ["web"]
    refuse(plain, survey(plain, lived), MACHINE, lived)


def test_the_limit_counts_the_fallback_pool(plain: SetupRequest, lived: Any) -> None:
    lived.lists[POOLS] = [{"id": str(n), "name": f"other-{n}"} for n in range(19)]
    assert "19 of 20" in refusal(plain, lived)
    lived.lists[POOLS][0]["name"] = plain.fallback_name
    refuse(plain, survey(plain, lived), MACHINE, lived)
    lived.lists[POOLS].append({"id": "x", "name": "other-x"})
    assert "20 of 20" in refusal(plain, lived)
    refuse(replace(plain, pool_limit=40), survey(plain, lived), MACHINE, lived)


def test_a_pool_that_setup_did_not_make_is_not_joined(plain: SetupRequest, lived: Any) -> None:
    pull = replace(plain, membership=MembershipKind.PULL)
    assert may_join(pull, survey(pull, lived))
    lived.lists[POOLS] = [{"id": "p", "name": pull.pool_name, "description": "by hand"}]
    assert not may_join(pull, survey(pull, lived))
    lived.lists[POOLS][0]["description"] = describe(Promise("", ("chat",)))
    assert may_join(pull, survey(pull, lived))


def test_replicas_ask_for_no_pool(plain: SetupRequest, lived: Any) -> None:
    replica = replace(plain, membership=MembershipKind.REPLICA, tunnel="gpu-a")
    lived.lists["/zones/zone/dns_records"] = []
    lived.lists[POOLS] = [{"id": str(n), "name": f"other-{n}"} for n in range(30)]
    found = survey(replica, lived)
    assert found.pools == ()
    refuse(replica, found, MACHINE, lived)
    rule = {"hostname": "llm.example.com", "service": "http://127.0.0.1:9999"}
    lived.documents[CONFIG]["config"]["ingress"] = [rule, {"service": "http_status:404"}]
    assert "9999" in refusal(replica, lived)
