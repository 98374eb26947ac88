"""Who a process is, from /proc: a pid is given again, a pid and its start time name one life."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

MARK = "INFERAGENT_LIFE"
_ZOMBIE = frozenset("ZX")


@dataclass(frozen=True, slots=True)
class Identity:
    """One life of a process; `start` in clock ticks since boot."""

    pid: int
    start: int

    def __str__(self) -> str:
        return f"{self.pid}:{self.start}"


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that matter here; a zombie has ended, whoever forgot to reap it."""

    who: Identity
    ended: bool
    session: int


@dataclass(frozen=True, slots=True)
class Family:
    """What one life of a unit may leave behind: its session, or, where a process opened a session of its own,
    whoever carries its mark in the environment."""

    leader: Identity
    mark: str


def read_stat(pid: int, proc: Path = Path("/proc")) -> Stat | None:
    """None when there is no such process. The command's name may contain anything, hence the last ")"."""
    try:
        raw = (proc / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = raw.rpartition(b")")[2].split()
    return Stat(Identity(pid, int(fields[19])), fields[0].decode() in _ZOMBIE, int(fields[3]))


def identify(pid: int) -> Identity | None:
    stat = read_stat(pid)
    return stat.who if stat else None


def alive(who: Identity) -> bool:
    """Whether this very life goes on: not a zombie, and not another process that was given its pid."""
    stat = read_stat(who.pid)
    return stat is not None and stat.who == who and not stat.ended


def members(family: Family) -> list[Identity]:
    """The living processes of a family, its leader included."""
    leader = read_stat(family.leader.pid)
    reused = leader is not None and leader.who != family.leader
    return [
        stat.who
        for stat in map(read_stat, _pids())
        if stat and not stat.ended and stat.who.pid != os.getpid() and _belongs(stat, family, reused)
    ]


def leader_of(mark: str) -> Identity | None:
    """The session leader that carries the mark: a start whose record was cut off half-way."""
    for stat in map(read_stat, _pids()):
        if stat and not stat.ended and stat.session == stat.who.pid and _carries(stat.who.pid, mark):
            return stat.who
    return None


def _belongs(stat: Stat, family: Family, reused: bool) -> bool:
    in_session = stat.session == family.leader.pid and not reused and stat.who.start >= family.leader.start
    return in_session or (stat.who.start >= family.leader.start and _carries(stat.who.pid, family.mark))


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _carries(pid: int, mark: str) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return bool(mark) and f"{MARK}={mark}".encode() in environment.split(b"\0")


def tell(who: Identity, number: signal.Signals) -> None:
    """Signal this very life; nothing happens when it is over."""
    try:
        handle = os.pidfd_open(who.pid)
    except OSError:
        return
    try:
        if identify(who.pid) == who:
            signal.pidfd_send_signal(handle, number)
    except OSError:
        pass
    finally:
        os.close(handle)
