"""How this host is in or out of the pool, and who else is in."""

from dataclasses import dataclass
from enum import StrEnum


class MembershipKind(StrEnum):
    OWN_POOL = "own-pool"
    PULL = "pull"
    REPLICA = "replica"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One host's entry. `rank` is its order in the load balancer (0 first). `healthy` None: not looked yet.

    `enabled` means enabled at every level. `machine` is the identity in the pool's description ("" if none).
    """

    name: str
    enabled: bool
    healthy: bool | None
    rank: int = 0
    machine: str = ""

    @property
    def effective(self) -> bool:
        """Receives traffic: enabled at every level and the monitor says healthy."""
        return self.enabled and self.healthy is True


@dataclass(frozen=True, slots=True)
class MembershipView:
    """One reading of the pool: this host's endpoint, and the others' where the kind can see them.

    `peers` None means that this kind of membership cannot see them (pull, replica).
    """

    own: Endpoint
    peers: tuple[Endpoint, ...] | None
