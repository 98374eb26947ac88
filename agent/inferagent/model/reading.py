"""What a probe brought back: a value, n/a, or an error; "unknown" is a type here, never a forgotten None.

All times are seconds on the host's boot-time clock (it counts through suspend), valid for one boot id.
"""

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Value(Generic[T_co]):
    """The probe was answered, and this was the answer at boot-clock second `at`."""

    value: T_co
    at: float


@dataclass(frozen=True, slots=True)
class NotAvailable:
    """Cannot be read on this host at all (a consumer card has no ECC): never counts for or against."""

    at: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Should be readable and was not: unknown. `reason` reads "cannot …"."""

    reason: str
    at: float


Reading: TypeAlias = Value[T_co] | NotAvailable | Failed

NEVER: Failed = Failed("not read yet", float("-inf"))


def aged(reading: Reading[T], now: float, max_age: float) -> Reading[T]:
    """The reading, or Failed when it is older than `max_age` seconds."""
    age = now - reading.at
    if isinstance(reading, Value) and age > max_age:
        return Failed(f"the last reading is {age:.0f} s old", reading.at)
    return reading


def known(reading: Reading[T]) -> T | None:
    """The value, or None for n/a and for a failed reading."""
    return reading.value if isinstance(reading, Value) else None
