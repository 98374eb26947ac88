import typing
from collections.abc import Iterable
from typing import Any

import pytest
from cloudflare.types import load_balancers as published
from pydantic import BaseModel, ValidationError

from inferagent.lab.cloudflare.schema import balancing as ours

OF_THE_PATH = {"account_id", "zone_id"}
RENAMED = {"load_balancer_monitor_timeout": "timeout"}


def fields(params: Any) -> set[str]:
    return {RENAMED.get(name, name) for name in typing.get_type_hints(params)} - OF_THE_PATH


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (ours.PoolCreate, published.PoolCreateParams),
        (ours.PoolUpdate, published.PoolUpdateParams),
        (ours.PoolEdit, published.PoolEditParams),
        (ours.MonitorBody, published.MonitorCreateParams),
        (ours.MonitorBody, published.MonitorEditParams),
        (ours.LoadBalancerPut, published.LoadBalancerCreateParams),
        (ours.LoadBalancerPut, published.LoadBalancerUpdateParams),
        (ours.LoadBalancerEdit, published.LoadBalancerEditParams),
        (ours.Endpoint, published.OriginParam),
        (ours.LoadShedding, published.LoadSheddingParam),
        (ours.RandomSteering, published.RandomSteeringParam),
        (ours.AdaptiveRouting, published.AdaptiveRoutingParam),
        (ours.AffinityAttributes, published.SessionAffinityAttributesParam),
        (ours.Rule, published.RulesParam),
    ],
)
def test_the_fields_are_the_published_ones(model: type[BaseModel], params: Any) -> None:
    assert set(model.model_fields) == fields(params)


@pytest.mark.parametrize(
    ("model", "required"),
    [
        (ours.PoolCreate, {"name", "origins"}),
        (ours.PoolUpdate, {"name", "origins"}),
        (ours.PoolEdit, set()),
        (ours.MonitorBody, set()),
        (ours.LoadBalancerPut, {"name", "default_pools", "fallback_pool"}),
        (ours.LoadBalancerEdit, set()),
    ],
)
def test_what_is_required(model: type[BaseModel], required: Iterable[str]) -> None:
    found = {name for name, field in model.model_fields.items() if field.is_required()}
    assert found == set(required)


@pytest.mark.parametrize("codes", ["200", "2xx", "200,301", "2xx,404"])
def test_expected_codes(codes: str) -> None:
    assert ours.MonitorBody.model_validate({"expected_codes": codes}).given() == {"expected_codes": codes}


@pytest.mark.parametrize("codes", ["", "2x", "900", "200;301", "200,"])
def test_bad_expected_codes(codes: str) -> None:
    with pytest.raises(ValidationError):
        ours.MonitorBody.model_validate({"expected_codes": codes})


@pytest.mark.parametrize("weight", [0, 1, 0.01, 0.29, 0.57, 1.0])
def test_weights_go_in_hundredths(weight: float) -> None:
    endpoint = ours.Endpoint.model_validate({"name": "a", "address": "b", "weight": weight})
    assert endpoint.given()["weight"] == weight


def test_only_what_was_given_is_kept_by_the_name_of_the_api() -> None:
    body = {"name": "a", "origins": [{"name": "a", "address": "b", "header": {"Host": ["c.example.com"]}}]}
    assert ours.PoolCreate.model_validate(body).given() == body
