"""Who is connected to the engine's port, and who of them awaits an answer.

Both ends of a connection on this host are in the kernel's list, so the client's end tells its owner: the
agent itself and the connector are known by the sockets in their /proc/PID/fd. Where the connector's are not
to be read (another user's process), a client of the connector's own uid is taken for the connector.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from inferagent.adapters.engine.sock_diag import Place, TcpSocket, connections

MOVED_WITHIN = 3.0

Lister = Callable[[int, int], list[TcpSocket]]


class Owner(StrEnum):
    AGENT = "agent"
    CONNECTOR = "connector"
    ENGINE = "engine"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Connection:
    """The engine's end of one connection.

    `asking`: the last byte came from the client; `busy`: asking, or bytes moved a moment ago; `doubtful`: the
    last bytes of both directions fell into one tick of the kernel's clock, so either may have been the last.
    """

    key: tuple[Place, Place]
    owner: Owner
    sent: int
    received: int
    asking: bool
    busy: bool
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """The sockets of one process: their inodes, or None where they cannot be read, and its uid."""

    inodes: frozenset[int] | None
    uid: int

    def owns(self, end: TcpSocket) -> bool:
        return end.uid == self.uid if self.inodes is None else end.inode in self.inodes


NOBODY = Holder(frozenset(), -1)


def holder(pid: int, proc: Path = Path("/proc")) -> Holder:
    """NOBODY when there is no such process."""
    folder = proc / str(pid) / "fd"
    try:
        uid = folder.parent.stat().st_uid
    except OSError:
        return NOBODY
    try:
        inodes = frozenset(inode for inode in map(_inode, folder.iterdir()) if inode)
    except PermissionError:
        return Holder(None, uid)
    except OSError:
        return NOBODY
    return Holder(inodes, uid)


def _inode(descriptor: Path) -> int:
    try:
        target = descriptor.readlink().name
    except PermissionError:
        raise  # of the same user with another group, it may be listed and not read
    except OSError:
        return 0
    return int(target[8:-1]) if target.startswith("socket:[") else 0


@dataclass(frozen=True, slots=True)
class EngineSockets:
    """The connections at one port. `connector` gives the connector's main pid, 0 while there is none."""

    port: int
    connector: Callable[[], int]
    lister: Lister = connections

    def look(self) -> tuple[Connection, ...]:
        """Raises OSError where the kernel's list cannot be read.

        A connection of ours that is closed between the lists looks like a neighbour's: who is foreign on this
        host is looked at once more.
        """
        found = self._once()
        neighbours = any(one.owner is Owner.FOREIGN and one.key[0][0] == one.key[1][0] for one in found)
        return self._once() if neighbours else found

    def _once(self) -> tuple[Connection, ...]:
        clients, ours = self._clients(), self.lister(self.port, 0)
        if any(end.peer[0] == end.local[0] and (end.peer, end.local) not in clients for end in ours):
            clients |= self._clients()  # opened between the two lists
        agent, pid = holder(os.getpid()), self.connector()
        connector = holder(pid) if pid else NOBODY
        return tuple(
            _connection(end, _owner(clients.get((end.peer, end.local)), agent, connector)) for end in ours
        )

    def inner(self, port: int) -> tuple[Connection, ...]:
        """The connections at a port of the engine's own, between its server and a runner."""
        return tuple(_connection(end, Owner.ENGINE) for end in self.lister(port, 0))

    def _clients(self) -> dict[tuple[Place, Place], TcpSocket]:
        return {(end.local, end.peer): end for end in self.lister(0, self.port)}


def _owner(client: TcpSocket | None, agent: Holder, connector: Holder) -> Owner:
    if client is None:
        return Owner.FOREIGN  # its other end is on another host, or in another network namespace
    if agent.owns(client):
        return Owner.AGENT
    return Owner.CONNECTOR if connector.owns(client) else Owner.FOREIGN


def _connection(end: TcpSocket, owner: Owner) -> Connection:
    asked = end.received > 0
    asking = asked and end.received_ago < end.sent_ago
    moved = asked and min(end.received_ago, end.sent_ago) <= MOVED_WITHIN
    doubtful = asked and end.received_ago == end.sent_ago
    busy = asking or moved
    return Connection((end.local, end.peer), owner, end.sent, end.received, asking, busy, doubtful)


def awaiting(found: tuple[Connection, ...], working: bool) -> int:
    """Connections from outside the connector and the agent that await an answer.

    A doubtful one does while the engine works on something, and is an idle keep-alive while it does not.
    """
    foreign = [one for one in found if one.owner is Owner.FOREIGN]
    return sum(one.busy or (working and one.doubtful) for one in foreign)


def requests(found: tuple[Connection, ...]) -> frozenset[tuple[tuple[Place, Place], int]]:
    """What all others have asked so far; equal marks mean that nobody else asked in between."""
    return frozenset((one.key, one.received) for one in found if one.owner is not Owner.AGENT)
