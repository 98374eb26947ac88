"""The numbers that a judgement rested on, taken from what was observed and remembered at that moment."""

from inferagent.model.decision import Decision
from inferagent.model.event import Evidence
from inferagent.model.observed import Observed
from inferagent.model.reading import Value, known
from inferagent.policy.evidence import still_for


def grounds(observed: Observed, decision: Decision) -> Evidence:
    """Unknown stays unknown."""
    still = still_for(decision.saved.memory)
    unit, last = known(observed.engine_unit), known(observed.generation)
    pool = observed.membership
    peers = pool.value.peers if isinstance(pool, Value) else None
    return Evidence(
        still=None if still is None else max(0.0, still),
        generation=last.outcome.value if last else "",
        generation_age=observed.now - last.begun if last else None,
        in_flight=decision.in_flight.total,
        accepts=known(observed.engine.accepts),
        exit=unit.exit if unit and not unit.alive else "",
        edge=known(observed.connector.ready),
        peers_effective=None if peers is None else sum(peer.effective for peer in peers),
        peers=None if peers is None else len(peers),
        pool_age=observed.now - pool.at if isinstance(pool, Value) else None,
    )
