"""Effective means enabled at every level and healthy; "not looked yet" is not healthy."""

import pytest

from inferagent.model.membership import Endpoint


@pytest.mark.parametrize(
    ("enabled", "healthy", "effective"),
    [(True, True, True), (True, None, False), (True, False, False), (False, True, False)],
)
def test_effective(enabled: bool, healthy: bool | None, effective: bool) -> None:
    assert Endpoint("here", enabled, healthy).effective is effective
