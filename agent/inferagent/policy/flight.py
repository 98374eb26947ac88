"""Requests in flight, by way in."""

from inferagent.model.decision import InFlight
from inferagent.model.observed import Observed
from inferagent.model.reading import Value, known


def in_flight(observed: Observed) -> InFlight:
    """The engine's own count where it has one, else the connector's gauge and the LAN's sockets.

    A dead engine has none.
    """
    unit = known(observed.engine_unit)
    if unit is not None and not unit.alive and not unit.leftovers:
        return InFlight(0, 0)
    traffic = known(observed.connector.traffic)
    tunnel = traffic.in_flight if traffic else None
    load = observed.engine.load
    if isinstance(load, Value):
        total = load.value.running + load.value.waiting
        through = min(tunnel or 0, total)
        return InFlight(through, total - through)
    return InFlight(tunnel, known(observed.engine.lan))
