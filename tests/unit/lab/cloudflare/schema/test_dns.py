import typing

import pytest
from cloudflare.types.dns import record_create_params as published
from pydantic import ValidationError

from inferagent.lab.cloudflare.schema.dns import RecordEdit, RecordPut, RecordSettings

OF_OTHERS = {"zone_id", "include_shadow_metadata"}
BODY = {"name": "a", "type": "CNAME", "content": "b", "ttl": 1}


def test_the_fields_are_the_published_ones() -> None:
    params = set(typing.get_type_hints(published.CNAMERecord)) - OF_OTHERS
    assert set(RecordPut.model_fields) == params
    assert set(RecordEdit.model_fields) == params
    settings = set(typing.get_type_hints(published.CNAMERecordSettings))
    assert set(RecordSettings.model_fields) == settings


@pytest.mark.parametrize("ttl", [1, 60, 86400])
def test_a_ttl_in_range(ttl: int) -> None:
    assert RecordPut.model_validate(BODY | {"ttl": ttl}).given()["ttl"] == ttl


@pytest.mark.parametrize("ttl", [0, 2, 59, 86401, "1", None])
def test_a_ttl_out_of_range(ttl: object) -> None:
    with pytest.raises(ValidationError):
        RecordPut.model_validate(BODY | {"ttl": ttl})


@pytest.mark.parametrize("missing", ["name", "type", "ttl", "content"])
def test_a_whole_record_is_required_but_not_for_a_patch(missing: str) -> None:
    part = {key: value for key, value in BODY.items() if key != missing}
    assert RecordEdit.model_validate(part).given() == part
    with pytest.raises(ValidationError):
        RecordPut.model_validate(part)
