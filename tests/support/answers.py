"""Every answer of the control sockets, held against their schema."""

import asyncio
import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from inferagent.runtime.desk import OPERATOR, Desk, Door, handle
from inferagent.runtime.schema import schema


@cache
def validator() -> Draft202012Validator:
    made = schema()
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def check_answer(document: object) -> None:
    """AssertionError for an answer that the schema does not allow, or that has a field unknown to it."""
    plain = json.loads(json.dumps(document, allow_nan=False))
    problems = [error.message for error in validator().iter_errors(plain)]
    assert not problems, problems
    assert set(plain) in [set(made["properties"]) for made in schema()["$defs"].values()]


def ask(desk: Desk, method: str, target: str, body: bytes = b"", door: Door = OPERATOR) -> tuple[int, Any]:
    """One request to the desk, as the sockets make it."""
    code, document = asyncio.run(handle(desk, method, target, body, door))
    if not isinstance(document, str):
        check_answer(document)
    return code, document
