"""Every law that a story of the fleet is judged by."""

from collections.abc import Callable

from tests.fleet.law import Law, Truths
from tests.fleet.laws_joining import S7, S9, S11, S13, S15, S16
from tests.fleet.laws_leaving import S1, S2, S5, S14, Certain, Overload, S9Leaving, Soft
from tests.fleet.laws_lending import Lent
from tests.fleet.laws_repair import S3, S4, S6, S8, S10, S12, Repaired

RULE_LAWS: tuple[Callable[[], Law], ...] = (
    S1, S2, S3, S4, S5, S6, S7, S8, S9, S9Leaving, S10, S11, S12, S13, S14, S15, S16,
)  # fmt: skip
FLEET_LAWS: tuple[Callable[[], Law], ...] = (Certain, Soft, Overload, Repaired, Lent)


def all_laws() -> list[Law]:
    """New ones for one story; the truths first, which the others ask."""
    return [Truths(), *(make() for make in (*RULE_LAWS, *FLEET_LAWS))]


def broken(laws: list[Law]) -> list[str]:
    return [text for law in laws for text in law.broken]
