"""What a request may say, and what setup chooses where it says nothing."""

from dataclasses import replace
from typing import Any

import pytest

from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.request import BadRequestError, SetupRequest, check, check_said, is_hostname


def test_what_is_chosen(plain: SetupRequest) -> None:
    check(plain)
    assert (plain.zone_name, plain.own_hostname) == ("example.com", "gpu-a.example.com")
    assert (plain.tunnel_name, plain.pool_name) == ("gpu-a", "gpu-a")
    assert plain.fallback_name == "llm-example-com-fallback"
    assert plain.models == ("chat",)


def test_what_is_shared_is_named_after_the_public_hostname(plain: SetupRequest) -> None:
    replica = replace(plain, membership=MembershipKind.REPLICA)
    assert (replica.tunnel_name, replica.own_hostname) == ("llm-example-com", "llm.example.com")
    assert replace(plain, membership=MembershipKind.PULL).pool_name == "llm-example-com"
    check(replica)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"host": "GPU A"}, "--host"),
    ({"public": "llm"}, "--public): write a name below a zone"),
    ({"public": "not a name"}, "--public): write a name below a zone"),
    ({"public": "llm.deep.example.com", "zone": "example.com"}, "--public"),
    ({"public": "example.com", "zone": "example.com"}, "--public"),
    ({"hostname": "a.b.example.com"}, "--hostname"),
    ({"hostname": "gpu.other.org"}, "--hostname"),
    ({"hostname": "llm.example.com"}, "--hostname"),
    ({"weight": 101}, "--weight"),
    ({"weight": -1}, "--weight"),
    ({"api_token_file": None}, "--membership pull"),
]


@pytest.mark.parametrize(("changes", "option"), WRONG)
def test_what_cannot_be_meant_names_its_option(
    plain: SetupRequest, changes: dict[str, Any], option: str
) -> None:
    with pytest.raises(BadRequestError, match="cannot") as caught:
        check(replace(plain, **changes))
    assert option in str(caught.value)


ENGINES: list[tuple[dict[str, Any], str]] = [
    ({"serves": ()}, "--serves"),
    ({"serves": (("two words", "m"),)}, "--serves"),
    ({"url": "http://127.0.0.1:8000/"}, "--engine-url"),
    ({"url": "http://127.0.0.1:8000/v1"}, "--engine-url"),
    ({"url": "8000"}, "--engine-url"),
    ({"unit": "vllm.service"}, "one of them"),
    ({"command": ()}, "--engine-unit, --engine-command, --engine-container, --engine-image"),
    ({"container": "vllm"}, "needs --engine-image"),
    ({"command": (), "unit": "vllm.service", "container": "vllm"}, "one of them"),
    ({"unit": "vllm.service", "image": "vllm@sha256:" + "a" * 64}, "--engine-unit or --engine-image"),
    ({"image": "vllm/vllm-openai:latest"}, "--engine-image"),
    ({"volumes": ("/a:/b",)}, "--engine-image"),
]


@pytest.mark.parametrize(("changes", "option"), ENGINES)
def test_an_engine_that_cannot_be_routed_to_or_supervised(
    plain: SetupRequest, changes: dict[str, Any], option: str
) -> None:
    with pytest.raises(BadRequestError, match="cannot") as caught:
        check(replace(plain, engine=replace(plain.engine, **changes)))
    assert option in str(caught.value)


def test_a_connector_has_one_supervisor(plain: SetupRequest) -> None:
    both = replace(plain.connector, unit="cloudflared.service", command=("cloudflared",))
    with pytest.raises(BadRequestError, match="not both"):
        check(replace(plain, connector=both))


def test_inferagents_own_units_run_a_command(plain: SetupRequest) -> None:
    own = replace(plain.connector, unit="inferagent-connector.service", command=("cloudflared",))
    engine = replace(plain.engine, unit="inferagent-engine.service", command=("vllm", "serve"))
    check(replace(plain, engine=engine, connector=own))
    with pytest.raises(BadRequestError, match="one of them"):
        check(replace(plain, engine=replace(engine, command=())))


def test_who_runs_the_engine_may_be_found_later(plain: SetupRequest) -> None:
    unsaid = replace(plain, engine=replace(plain.engine, command=()))
    check_said(unsaid)
    with pytest.raises(BadRequestError, match="nothing that runs it was found"):
        check(unsaid)


def test_an_image_takes_a_command_and_its_containers_unit(plain: SetupRequest) -> None:
    image, unit = "vllm/vllm-openai@sha256:" + "a" * 64, "inferagent-container@mine.service"
    check(replace(plain, engine=replace(plain.engine, image=image, unit=unit, container="mine")))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("chat.example.com", True),
        ("a.b", True),
        ("llm", False),
        ("", False),
        ("not a name", False),
        ("chat.", False),
        (".example.com", False),
        ("chat..com", False),
        ("chat.example.com\n", False),
    ],
)
def test_what_is_a_hostname(name: str, right: bool) -> None:
    assert is_hostname(name) is right
