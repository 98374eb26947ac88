"""Which steps are still needed, and what is left to a person."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from inferagent.model.membership import MembershipKind
from inferagent.ports import PortError
from inferagent.programs.setup.objects import Work
from inferagent.programs.setup.planning import plan_with_api, plan_without_api
from inferagent.programs.setup.request import SetupRequest
from inferagent.programs.setup.survey import Survey

EMPTY = Survey("acc", "zone", None, (), (), None, (), None)


def steps(request: SetupRequest, account: Any, found: Survey = EMPTY) -> list[str]:
    todo = plan_with_api(request, found, Work(account), "m", "secret")
    return [step.name.replace(str(request.config_dir), "etc") for step in todo.steps]


def test_each_step_follows_those_whose_ids_it_needs(plain: SetupRequest, account: Any) -> None:
    assert steps(plain, account) == [
        "tunnel gpu-a",
        "file etc/credentials/tunnel-token",
        "ingress of gpu-a.example.com",
        "DNS record gpu-a.example.com",
        "monitor of llm.example.com",
        "pool gpu-a",
        "fallback pool llm-example-com-fallback",
        "load balancer llm.example.com",
        "file etc/credentials/cloudflare-api-token",
        "file etc/config.toml",
    ]


def test_replicas_need_half_of_it(plain: SetupRequest, account: Any) -> None:
    assert steps(replace(plain, membership=MembershipKind.REPLICA), account) == [
        "tunnel llm-example-com",
        "file etc/credentials/tunnel-token",
        "ingress of llm.example.com",
        "DNS record llm.example.com",
        "file etc/config.toml",
    ]


def test_pull_keeps_no_api_token(plain: SetupRequest, account: Any) -> None:
    names = steps(replace(plain, membership=MembershipKind.PULL), account)
    assert "pool llm-example-com" in names
    assert "file etc/credentials/cloudflare-api-token" not in names


def test_pull_into_a_pool_of_others_is_left_to_a_person(plain: SetupRequest, account: Any) -> None:
    pull = replace(plain, membership=MembershipKind.PULL)
    theirs = {"id": "p", "name": "llm-example-com", "description": "by hand"}
    todo = plan_with_api(pull, replace(EMPTY, pools=(theirs,)), Work(account), "m", "secret")
    names = [step.name for step in todo.steps if not step.name.startswith("file ")]
    assert names == ["tunnel gpu-a", "ingress of gpu-a.example.com", "DNS record gpu-a.example.com"]
    (note,) = todo.notes
    assert "/.inferagent/ready" in note


def test_an_existing_token_file_is_compared(plain: SetupRequest, account: Any) -> None:
    account.documents["/accounts/acc/cfd_tunnel/t/token"] = "the-token"
    found = replace(EMPTY, tunnel={"id": "t", "name": "gpu-a"})
    assert "file etc/credentials/tunnel-token" in steps(plain, account, found)
    plain.credentials_dir.mkdir(parents=True)
    (plain.credentials_dir / "tunnel-token").write_text("the-token\n")
    (plain.credentials_dir / "cloudflare-api-token").write_text("secret")
    names = steps(plain, account, found)
    assert not [name for name in names if "credentials" in name]


def test_no_line_of_a_plan_holds_a_secret(plain: SetupRequest, account: Any) -> None:
    todo = plan_with_api(plain, EMPTY, Work(account), "m", "secret")
    assert not [step for step in todo.steps if "secret" in step.change.replace(str(plain.config_dir), "")]


def test_without_an_api_token_a_person_is_told_everything(plain: SetupRequest) -> None:
    pull = replace(plain, membership=MembershipKind.PULL, api_token_file=None)
    todo = plan_without_api(pull)
    assert [step.path.name for step in todo.steps] == ["config.toml"]
    assert len(todo.notes) == 3
    replica = replace(pull, membership=MembershipKind.REPLICA)
    assert len(plan_without_api(replica).notes) == 2


def test_a_tunnel_token_names_its_tunnel(plain: SetupRequest) -> None:
    pull = replace(plain, membership=MembershipKind.PULL, api_token_file=None)
    pull.credentials_dir.mkdir(parents=True)
    path = pull.credentials_dir / "tunnel-token"
    tunnel = "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e"
    path.write_bytes(base64.b64encode(json.dumps({"a": "x", "t": tunnel, "s": "y"}).encode()))
    (step,) = plan_without_api(pull).steps
    step.intent()
    step.apply()
    assert tunnel in (pull.config_dir / "config.toml").read_text()
    assert plan_without_api(pull).steps == ()


@pytest.mark.parametrize(
    "text", ["nonsense", base64.b64encode(b"[]").decode(), base64.b64encode(b"{}").decode()]
)
def test_what_is_no_tunnel_token_is_said(plain: SetupRequest, text: str) -> None:
    pull = replace(plain, membership=MembershipKind.PULL, api_token_file=None)
    pull.credentials_dir.mkdir(parents=True)
    (pull.credentials_dir / "tunnel-token").write_text(text)
    with pytest.raises(PortError, match="does not hold a tunnel's token"):
        plan_without_api(pull)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ((), "; mode act: from now on this host is drained and repaired (--set mode=observe only watches)"),
        ((("mode", "observe"),), "; mode observe: this host is only watched"),
    ],
)
def test_the_plan_says_whether_the_agent_will_act(plain: SetupRequest, settings: Any, says: str) -> None:
    pull = replace(plain, membership=MembershipKind.PULL, api_token_file=None, settings=settings)
    (step,) = plan_without_api(pull).steps
    assert says in step.change
    step.intent()
    step.apply()
    mode = "observe" if settings else "act"
    assert f'mode = "{mode}"' in (pull.config_dir / "config.toml").read_text()
