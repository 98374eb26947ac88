import base64
import typing

import pytest
from cloudflare.types.zero_trust.tunnels import CloudflaredCreateParams, CloudflaredEditParams
from cloudflare.types.zero_trust.tunnels.cloudflared import configuration_get_response as published
from pydantic import BaseModel, ValidationError

from inferagent.lab.cloudflare.schema import tunnels as ours


def names(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("model", "other"),
    [
        (ours.Configuration, published.Config),
        (ours.IngressRule, published.ConfigIngress),
        (ours.EndpointRequest, published.ConfigIngressOriginRequest),
        (ours.Access, published.ConfigIngressOriginRequestAccess),
    ],
)
def test_the_fields_of_a_configuration_are_the_published_ones(
    model: type[BaseModel], other: type[BaseModel]
) -> None:
    assert names(model) == names(other)


def test_the_fields_of_a_tunnel_are_the_published_ones() -> None:
    assert names(ours.TunnelCreate) == set(typing.get_type_hints(CloudflaredCreateParams)) - {"account_id"}
    assert names(ours.TunnelEdit) == set(typing.get_type_hints(CloudflaredEditParams)) - {"account_id"}


@pytest.mark.parametrize(("size", "taken"), [(31, False), (32, True), (64, True)])
def test_a_secret_has_at_least_32_bytes(size: int, taken: bool) -> None:
    body = {"name": "a", "tunnel_secret": base64.b64encode(b"x" * size).decode()}
    if taken:
        assert ours.TunnelCreate.model_validate(body).given() == body
    else:
        with pytest.raises(ValidationError, match="at least 32 bytes"):
            ours.TunnelCreate.model_validate(body)


def test_a_configuration_comes_back_as_it_was_given() -> None:
    rule = {"hostname": "a", "service": "http://b", "originRequest": {"noTLSVerify": True}}
    body = {"config": {"ingress": [rule, {"service": "http_status:404"}]}}
    assert ours.ConfigurationPut.model_validate(body).given() == body
