"""What a check is, and what may come of it: data, with one function that judges."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferagent.programs.doctor.sight import Sight


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Hop(StrEnum):
    """The places on the way from a user to a token, in that order, then what holds them up."""

    CONFIGURATION = "configuration"
    CREDENTIALS = "credentials"
    ACCOUNT = "account"
    DNS = "DNS"
    EDGE = "edge"
    ACCESS = "Access"
    LOAD_BALANCER = "load balancer"
    POOL = "pool"
    MONITOR = "monitor"
    TUNNEL = "tunnel"
    INGRESS = "ingress"
    HOST_HEADER = "Host header"
    READY = "ready URL"
    ENGINE = "engine"
    MODEL = "model"
    GPU = "GPU"
    AGENT = "agent"
    UNITS = "units"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cure` is a command or a place in a dashboard. `hop` None: that of the check."""

    verdict: Verdict
    evidence: str
    cure: str = ""
    hop: Hop | None = None


class CannotTellError(Exception):
    """What the check rests on could not be seen. Text and cure go into its outcome."""

    def __init__(self, text: str, cure: str = "") -> None:
        super().__init__(text)
        self.cure = cure


class NotHereError(Exception):
    """There is nothing of that kind on this host, so nothing to check."""


Judge = Callable[["Sight"], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Check:
    """`needs`: checks without whose success this one would only repeat their failure."""

    name: str
    hop: Hop
    title: str
    judge: Judge
    needs: tuple[str, ...] = ()


def ok(evidence: str) -> Outcome:
    return Outcome(Verdict.OK, evidence)


def warn(evidence: str, cure: str, hop: Hop | None = None) -> Outcome:
    return Outcome(Verdict.WARN, evidence, cure, hop)


def fail(evidence: str, cure: str, hop: Hop | None = None) -> Outcome:
    return Outcome(Verdict.FAIL, evidence, cure, hop)


def unknown(evidence: str, cure: str = "") -> Outcome:
    return Outcome(Verdict.UNKNOWN, evidence, cure)


def skipped(evidence: str) -> Outcome:
    return Outcome(Verdict.SKIPPED, evidence)
