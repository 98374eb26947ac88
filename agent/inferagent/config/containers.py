"""The names of the units that follow containers; each carries the name of its container."""

PREFIX, SUFFIX = "inferagent-container@", ".service"


def container_of(unit: str) -> str:
    """The container that a unit follows, "" for a unit of another kind."""
    return unit.removeprefix(PREFIX).removesuffix(SUFFIX) if unit.startswith(PREFIX) else ""


def unit_for(container: str) -> str:
    return f"{PREFIX}{container}{SUFFIX}"
