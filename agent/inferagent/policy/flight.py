"""Requests in flight, by way in."""

from inferagent.model.decision import InFlight
from inferagent.model.observed import Observed
from inferagent.model.reading import Failed, Reading, Value, known
from inferagent.model.unit import Unit


def in_flight(observed: Observed) -> InFlight:
    """The engine's own count where it has one, else the connector's gauge and the LAN's sockets.

    A dead engine has none.
    """
    if _gone(observed.engine_unit):
        return InFlight(0, 0)
    tunnel = _tunnel(observed)
    load = observed.engine.load
    if isinstance(load, Value):
        total = load.value.running + load.value.waiting
        through = min(tunnel or 0, total)
        return InFlight(through, total - through)
    return InFlight(tunnel, known(observed.engine.lan))


def work(observed: Observed, flight: InFlight | None = None) -> int | None:
    """Requests that the engine owes an answer, by whoever counts most; None while nobody can say.

    vLLM counts a request only when a step has ended: one that hangs while idle stays at 0, and the connector
    alone sees that users wait.
    """
    flight = flight or in_flight(observed)
    seen = [count for count in (flight.total, _tunnel(observed)) if count is not None]
    return max(seen) if seen else None


def settled(observed: Observed, flight: InFlight | None = None) -> int | None:
    """Requests in flight by every way that can be read on this host; None while one of them is unknown.

    What is n/a does not count; what failed might hide somebody's request.
    """
    flight, engine = flight or in_flight(observed), observed.engine
    if _gone(observed.engine_unit) or isinstance(engine.load, Value):
        return flight.total
    hidden = flight.tunnel is None or any(isinstance(way, Failed) for way in (engine.load, engine.lan))
    return None if hidden else flight.total


def _tunnel(observed: Observed) -> int | None:
    """The connector's gauge; nothing comes through one that has no process."""
    if _gone(observed.connector_unit):
        return 0
    traffic = known(observed.connector.traffic)
    return traffic.in_flight if traffic else None


def _gone(reading: Reading[Unit]) -> bool:
    unit = known(reading)
    return unit is not None and not unit.alive and not unit.leftovers
