import pytest
from pydantic import ValidationError

from inferagent.lab.cloudflare import errors
from inferagent.lab.cloudflare.schema.balancing import PoolCreate


def test_each_failure_has_its_status_and_code() -> None:
    made = [
        errors.not_found("pool"),
        errors.invalid("interval is not in range"),
        errors.not_unique("name"),
        errors.referenced(["pool a"]),
    ]
    assert [(e.status, e.code) for e in made] == [(404, 1001), (400, 1002), (400, 1003), (412, 1005)]


def test_the_chain_is_shown_only_where_there_is_one() -> None:
    assert errors.not_found("pool").entry() == {"code": 1001, "message": "pool not found"}
    chain = errors.invalid_dns(9007, "bad content").entry()["error_chain"]
    assert chain == [{"code": 9007, "message": "bad content"}]


def test_reasons_name_the_fields() -> None:
    with pytest.raises(ValidationError) as error:
        PoolCreate.model_validate({"name": "a", "origins": [{"name": "x", "address": "y", "wait": 1}]})
    assert errors.reasons(error.value).startswith("origins.0.wait: ")
