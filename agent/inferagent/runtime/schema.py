"""The JSON schema of what the control sockets answer, made from the dataclasses that they answer with."""

from typing import Any

from pydantic import TypeAdapter

from inferagent.model.fault_sheet import FaultSheet
from inferagent.model.status import Status
from inferagent.runtime.desk import API, Answer

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{model}"
KINDS: tuple[type, ...] = (Status, FaultSheet, Answer)


def schema() -> dict[str, Any]:
    """Of each kind of answer. A later version may add fields, and takes none away."""
    definitions: dict[str, Any] = {}
    for kind in KINDS:
        made = TypeAdapter(kind).json_schema(mode="serialization", ref_template=REF)
        definitions |= made.pop("$defs", {})
        definitions[kind.__name__] = _versioned(made)
    return {
        "$schema": DIALECT,
        "title": "Answers of the control sockets of inferagent",
        "oneOf": [{"$ref": REF.format(model=kind.__name__)} for kind in KINDS],
        "$defs": {name: _strict(made) for name, made in sorted(definitions.items())},
    }


def _versioned(made: dict[str, Any]) -> dict[str, Any]:
    return {**made, "properties": {"api": {"const": API}, **made["properties"]}}


def _strict(made: dict[str, Any]) -> dict[str, Any]:
    """Every field is always there. What a dataclass says of itself without a docstring is no description."""
    kept = {key: value for key, value in made.items() if key != "description"}
    described = made.get("description", "")
    if described and not described.startswith(f"{made['title']}("):
        kept["description"] = " ".join(described.split())
    properties = {name: _nullable(value) for name, value in made["properties"].items()}
    return {**kept, "properties": properties, "required": sorted(properties)}


def _nullable(value: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: a number that is none is null."""
    plain = {key: kept for key, kept in value.items() if key not in ("title", "default")}
    return {**plain, "type": ["number", "null"]} if plain.get("type") == "number" else plain
