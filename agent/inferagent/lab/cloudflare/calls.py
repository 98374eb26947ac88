"""One call of the API as its handler sees it, and the answer that goes into the envelope.

Handlers are plain functions over the store: nothing waits between looking and applying, and a
late write is the same function called later.
"""

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from inferagent.lab.cloudflare.clock import stamp
from inferagent.lab.cloudflare.errors import ApiError, invalid, reasons
from inferagent.lab.cloudflare.schema.base import Body
from inferagent.lab.cloudflare.settings import Settings
from inferagent.lab.cloudflare.store import Object, Store, Tables, Token

B = TypeVar("B", bound=Body)
MAX_PER_PAGE = 5000


@dataclass(frozen=True, slots=True)
class Call:
    """`tables` is what reads see: the store's own, or an older state where reads are stale."""

    store: Store
    tables: Tables
    settings: Settings
    token: Token
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None

    def now(self) -> str:
        return stamp(self.store.now())

    def parsed(self, model: type[B]) -> B:
        """The body by its schema; a refusal is a load-balancing error (1002)."""
        try:
            return model.model_validate(self.body)
        except ValidationError as error:
            raise invalid(reasons(error)) from None


@dataclass(frozen=True, slots=True)
class Answer:
    """A success; `info` is the envelope's `result_info`."""

    result: Any
    info: dict[str, int] | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """`permissions`: any one of these groups lets the call pass; none named: any active token does."""

    method: str
    path: str
    handler: Handler
    permissions: tuple[str, ...] = ()


def new_id() -> str:
    return uuid.uuid4().hex


def listed(items: list[Object]) -> Answer:
    """A list that the API does not page."""
    size = len(items)
    return Answer(items, {"page": 1, "per_page": max(size, 1), "count": size, "total_count": size})


def paged(call: Call, items: list[Object], per_page: int, total_pages: bool = True) -> Answer:
    """One page: past the last one the list is empty, which is how a pager knows the end."""
    page = _positive(call.query.get("page"), 1)
    size = min(_positive(call.query.get("per_page"), per_page), MAX_PER_PAGE)
    part = items[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(part), "total_count": len(items)}
    if total_pages:
        info["total_pages"] = math.ceil(len(items) / size)
    return Answer(part, info)


def _positive(text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ApiError(400, 1002, f"cannot read {text!r} as a number") from None
    if value < 1 or value != int(value):
        raise ApiError(400, 1002, f"cannot use {text!r} as a page number or size")
    return int(value)
