"""Time as the API writes it."""

from datetime import UTC, datetime


def stamp(moment: float) -> str:
    """RFC 3339 with microseconds, in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
