"""The package on Debian 13, whose Python is 3.13."""

from tests.hosts.debians import installed


def suite() -> None:
    installed("trixie", "3.13")
