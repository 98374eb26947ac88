"""The package on Debian sid, whose Python is 3.14."""

from tests.hosts.debians import installed


def suite() -> None:
    installed("sid", "3.14")
