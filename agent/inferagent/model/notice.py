"""Messages to the people of this host, the episodes of illness that they tell of, and what must not be lost
of both."""

import json
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

SCHEMA = 1
LONGEST = 16 * 1024  # bytes of a message as JSON

Scalar: TypeAlias = str | int | float | bool


class NoticeKind(StrEnum):
    OPENED = "opened"
    WORSE = "worse"  # nothing but a person helps any more
    OVER = "over"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. `id` is the same however often it is sent. `since` and `wall` are display times, `seconds`
    how long the illness has lasted."""

    id: str
    kind: NoticeKind
    host: str
    text: str
    wall: str
    episode: str = ""
    mode: str = ""
    phase: str = ""
    label: str = ""
    code: str = ""
    root_cause: str = ""
    cure: str = ""
    since: str = ""
    seconds: float = 0.0
    findings: tuple[str, ...] = ()
    evidence: tuple[tuple[str, Scalar], ...] = ()
    done: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """As receivers get it."""
        found = {"schema": SCHEMA, **asdict(self), "kind": self.kind.value, "evidence": dict(self.evidence)}
        return {**found, "seconds": round(self.seconds, 1)}

    def body(self) -> bytes:
        """The document as JSON; of one that is too long the findings are left out."""
        whole = json.dumps(self.document(), ensure_ascii=False, default=str).encode()
        if len(whole) <= LONGEST:
            return whole
        short = replace(self, findings=(), done=(), evidence=(), text=self.text[:1000])
        return json.dumps(short.document(), ensure_ascii=False, default=str).encode()[:LONGEST]


@dataclass(frozen=True, slots=True)
class Queued:
    """`waits`: the receivers that have not taken it yet."""

    notice: Notice
    waits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that outlives the boot: the second `at` of boot `boot`, and the wall clock's word for it."""

    boot: str
    at: float
    wall: str


@dataclass(frozen=True, slots=True)
class Spell:
    """An episode, or what may become one. `ill` and `grave`: seconds of illness, and of needing a person.

    `told`: the worst message that went out, None before the first. `well`: since when it has been well again.
    """

    id: str
    since: Mark
    ill: float = 0.0
    grave: float = 0.0
    told: NoticeKind | None = None
    root_cause: str = ""
    code: str = ""
    well: Mark | None = None
    done: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Book:
    """What is kept on disk. `lost`: messages that were dropped because too many waited."""

    spell: Spell | None = None
    queue: tuple[Queued, ...] = field(default=())
    lost: int = 0
