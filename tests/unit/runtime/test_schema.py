"""The schema of the answers, as it is published: a change of it is seen here first."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from jsonschema import ValidationError
from tests.support.answers import validator
from tests.unit.runtime.test_desk import status

from inferagent.runtime.schema import schema

GOLDEN = Path(__file__).with_name("control.schema.json")
REMAKE = f"inferagent status --schema > {GOLDEN.relative_to(Path(__file__).parents[3])}"


def test_the_schema_is_the_one_that_stands_here() -> None:
    assert json.loads(GOLDEN.read_text()) == schema(), f"if the change is wanted: {REMAKE}"


def plain(**changes: object) -> dict:
    return {"api": 1, **json.loads(json.dumps(asdict(status()))), **changes}


def test_a_status_is_allowed() -> None:
    validator().validate(plain())
    validator().validate({"api": 1, "ok": False, "message": "cannot", "cure": ""})
    assert plain()["phase"] == "serving"


@pytest.mark.parametrize(
    "wrong",
    [
        plain(api=2),
        plain(verdict="yes"),
        plain(seconds="12"),
        plain(engine=None),
        {key: value for key, value in plain().items() if key != "mode"},
        {"api": 1, "ok": True, "message": "done"},
        {"ok": True, "message": "done", "cure": ""},
        [],
    ],
)
def test_other_answers_are_not(wrong: object) -> None:
    with pytest.raises(ValidationError):
        validator().validate(wrong)


def test_a_number_that_is_none_is_null() -> None:
    validator().validate(plain(seconds=None))
    assert schema()["$defs"]["Status"]["properties"]["seconds"] == {"type": ["number", "null"]}


def test_every_field_is_always_there_and_nothing_describes_itself_by_its_signature() -> None:
    for name, made in schema()["$defs"].items():
        assert made["required"] == sorted(made["properties"])
        assert not made.get("description", "").startswith(f"{name}(")
