"""Request bodies of DNS records, for the types that the lab knows."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from inferagent.lab.cloudflare.schema.base import Body

AUTOMATIC = 1
TTL_RANGE = (60, 86400)


def _ttl(value: float) -> float:
    low, high = TTL_RANGE
    if value != AUTOMATIC and not low <= value <= high:
        raise ValueError(f"must be {AUTOMATIC} (automatic) or between {low} and {high}")
    return value


Ttl = Annotated[float, AfterValidator(_ttl)]
Kind = Literal["A", "AAAA", "CNAME", "TXT"]
Text = Annotated[str, StringConstraints(min_length=1)]


class RecordSettings(Body):
    flatten_cname: bool = False
    ipv4_only: bool = False
    ipv6_only: bool = False


class RecordPut(Body):
    """POST and PUT: the published schema requires name, ttl and type."""

    name: Text
    ttl: Ttl
    type: Kind
    content: Text
    proxied: bool = False
    comment: str = Field(default="", max_length=100)
    settings: RecordSettings = Field(default_factory=RecordSettings)
    tags: list[str] = Field(default_factory=list)


class RecordEdit(Body):
    """PATCH: the schema repeats the required fields; the real API takes any part, and so does this."""

    name: Text = ""
    ttl: Ttl = AUTOMATIC
    type: Kind = "CNAME"
    content: Text = ""
    proxied: bool = False
    comment: str = Field(default="", max_length=100)
    settings: RecordSettings = Field(default_factory=RecordSettings)
    tags: list[str] = Field(default_factory=list)
