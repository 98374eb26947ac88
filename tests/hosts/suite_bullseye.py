"""The package on Debian 11, whose Python is 3.9: refused in words."""

from tests.hosts.debians import refused


def suite() -> None:
    refused("bullseye", "Depends: python3 (>= 3.11)")
