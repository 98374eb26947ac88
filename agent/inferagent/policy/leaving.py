"""S2, who may leave when.

Soft causes yield to better endpoints, inferred ones wait for their turn and for the majority, certain ones
leave, and the last endpoint leaves by its verdict alone.
"""

from inferagent.model.health import Cause, CauseKind
from inferagent.model.membership import Endpoint, MembershipKind
from inferagent.model.phase import Phase
from inferagent.policy.facts import Facts

TURN = 3.0
TURNS = 15.0
OPERATORS_TURN = 2.0  # longer than a reading of the pool and a write take
SOFT_BLIND = 600.0


def may_not_leave(cause: Cause, facts: Facts) -> str:
    """ "" or why this cause does not let the host leave now."""
    if cause.kind is not CauseKind.SOFT and _reads_out(facts):
        return ""  # leaving takes nothing from anybody
    match cause.kind:
        case CauseKind.CERTAIN:
            return ""
        case CauseKind.INFERRED:
            return _inferred(facts)
        case CauseKind.OPERATOR:
            return _operator(cause, facts)
        case CauseKind.SOFT:
            return _too_soon(facts) or _soft(facts)


def _reads_out(facts: Facts) -> bool:
    write = facts.saved.last_write
    current = facts.read_at > (facts.saved.since if write is None else max(write.at, facts.saved.since))
    return facts.own is not None and current and not facts.own.enabled


def verdict_alone(facts: Facts) -> str:
    """ "" or why leaving must not touch the pool: nobody else would be left in it."""
    hold = facts.desired.hold
    if (hold is not None and hold.last) or facts.saved.other_hand:
        return ""
    return "no other endpoint is effective" if facts.alone else ""


def _inferred(facts: Facts) -> str:
    if facts.peers is None or kept_long_enough(facts):
        return ""
    if not majority_stays(facts):
        return "less than half of the pool would stay effective"
    return _turn(facts, facts.memory.wait_since)


def _turn(facts: Facts, since: float | None) -> str:
    """Lower ranks first; who comes later decides on a reading that shows whether they have left."""
    peers = facts.peers or ()
    wait = min(TURNS, TURN * sum(peer.effective and _below(facts, peer) for peer in peers))
    if since is None or facts.now < since + wait:
        return f"waits {wait:.0f} s for its turn"
    if not facts.terms.alone and facts.read_at <= since + wait:
        return "needs a newer reading of the pool"
    return ""


def majority_stays(facts: Facts) -> bool:
    """At least half of the pool, dead members included, and at least one, stays effective; unknown: yes."""
    if facts.peers is None:
        return True
    effective = facts.others_effective or 0
    return effective >= 1 and 2 * effective >= len(facts.peers) + 1


def kept_long_enough(facts: Facts) -> bool:
    """Kept in for a whole deadline with its evidence unchanged: an inferred cause counts as certain."""
    since = facts.memory.kept_since
    bound = facts.terms.deadline_alone if facts.alone else facts.terms.deadline
    return since is not None and facts.now - since >= bound


def _operator(cause: Cause, facts: Facts) -> str:
    hold = facts.desired.hold
    if cause.code == "other-hand" or (hold is not None and hold.last):
        return ""
    if facts.others_effective is None:
        return "the others cannot be read: leaving needs --last"
    if not facts.others_effective:
        return "the last effective endpoint: leaving needs --last"
    if facts.terms.alone or facts.read_at > cause.since + _behind_all(facts):
        return ""
    return "needs a newer reading of the pool"


def _behind_all(facts: Facts) -> float:
    """Seconds for which the best host of all lets the others leave first: told at the same moment, all of
    them would else see each other."""
    best = not any(peer.effective and not _below(facts, peer) for peer in facts.peers or ())
    return OPERATORS_TURN if best else 0.0


def needs_last(facts: Facts) -> str:
    """ "" or why the GPU of this host is not lent, wherever the host is now: while it is lent nothing of it
    comes back, so somebody else must be there, or --last have been said."""
    hold = facts.desired.hold
    if hold is not None and hold.last:
        return ""
    if facts.others_effective is None:
        return "the others cannot be read: lending needs --last"
    return "" if facts.others_effective else "no other endpoint is effective: lending needs --last"


def _too_soon(facts: Facts) -> str:
    """A host that was called back stays a while: the better one may only flicker."""
    since = facts.saved.serving_since
    back = facts.saved.phase is Phase.JOINING or (since is not None and facts.now - since < SOFT_BLIND)
    return "has come back a moment ago" if back and len(facts.saved.joins) > 1 else ""


def _soft(facts: Facts) -> str:
    peers = facts.peers
    if peers is None:
        return "the others cannot be read"
    if any(peer.effective and not _below(facts, peer) for peer in peers):
        return ""
    return "no endpoint of higher rank is effective"


def _below(facts: Facts, peer: Endpoint) -> bool:
    """Whether the peer ranks below this host; ties go by name."""
    own = facts.own
    return own is not None and (own.rank, own.name) < (peer.rank, peer.name)


def soft_ends(facts: Facts) -> str:
    """S14: "" or why a soft absence is over: a fresh reading forbids it, or, where the others can never be
    read, it has lasted long enough."""
    if facts.peers is not None:
        return _soft(facts)
    if facts.terms.membership is MembershipKind.OWN_POOL or facts.now - facts.saved.since < SOFT_BLIND:
        return ""
    return "the others have not been readable for 10 min"
