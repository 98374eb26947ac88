"""What doctor asks of the account: reads alone, each once, and what refusals mean."""

import pytest
from tests.support.breaking import token
from tests.support.clinic import Clinic
from tests.support.doctoring import configured, judged

from inferagent.lab.cloudflare.server import PERMISSIONS


def result(results, name):
    return next(one for one in results if one.check.name == name)


def asked(clinic: Clinic):
    import json
    import urllib.request

    with urllib.request.urlopen(clinic.cloud.as_json()["lab"] + "/requests") as answer:
        return json.load(answer)


def test_it_reads_and_writes_nothing(clinic):
    before, writes = len(asked(clinic)), len(clinic.cloud.store.writes)
    clinic.examine()
    since = asked(clinic)[before:]
    assert {one["method"] for one in since} == {"GET"}
    paths = [one["path"] for one in since]
    assert len(paths) == len(set(paths)) <= 12, "each object is read once"
    assert len(clinic.cloud.store.writes) == writes


def test_a_token_of_the_account_is_verified_there(clinic):
    with token(account_owned=True)(clinic) as direction:
        results = clinic.examine(direction)
    assert result(results, "account.token").verdict == "ok"


def test_what_the_token_need_not_read_is_left_out(clinic):
    """The least that a host needs: its pools and its load balancer."""
    least = frozenset({"Load Balancing: Monitors and Pools Write", "Load Balancers Read"})
    assert least <= PERMISSIONS
    with token(least)(clinic) as direction:
        results = clinic.examine(direction)
    assert not [one for one in results if one.verdict in ("fail", "unknown")]
    for name in ("account.tunnel", "dns.record", "ingress.pushed"):
        assert "may not" in result(results, name).outcome.evidence
    assert "the first join shows" in result(results, "account.permissions").outcome.evidence


def test_the_token_is_never_shown(clinic):
    secret = clinic.cloud.token_file.read_text().strip()
    for direction in (clinic.direction, None):
        said = repr(clinic.examine(direction))
        assert secret not in said


@pytest.mark.parametrize("name", ["account.api", "account.token", "pool.there", "balancer.there"])
def test_without_a_token_nothing_is_known(tmp_path, name):
    found = judged(name, configured(tmp_path))
    assert (found.verdict, found.outcome.cure) == ("unknown", "sudo inferagent setup")
