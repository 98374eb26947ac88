"""Requests in flight add up over what is known."""

import pytest

from inferagent.model.decision import InFlight


@pytest.mark.parametrize(
    ("tunnel", "lan", "total"), [(1, 1, 2), (0, None, 0), (None, 3, 3), (None, None, None)]
)
def test_total(tunnel: int | None, lan: int | None, total: int | None) -> None:
    assert InFlight(tunnel, lan).total == total
