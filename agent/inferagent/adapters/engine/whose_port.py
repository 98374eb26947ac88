"""Whose is a listening socket: the engine's, that of whoever passes on to the engine, or a foreign program's.

What cannot be told is unknown, and nobody is foreign for that: a container's port is held by others, and
behind a proxy the engine listens elsewhere.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inferagent.adapters.engine.census import Process
from inferagent.adapters.engine.sock_diag import Listening

WILD = ("0.0.0.0", "::")  # noqa: S104
# Who runs somebody else's program in a place of its own: what it starts is no descendant of it.
RUNTIMES = frozenset({"docker", "podman", "nerdctl", "conmon", "crun", "runc", "apptainer", "singularity"})
RUNTIMES |= {"systemd-nspawn", "kubectl", "ctr"}
# Who listens on behalf of others; as the kernel cuts names off.
DOORS = frozenset({"docker-proxy", "rootlessport", "rootlesskit", "slirp4netns", "pasta", "passt", "socat"})
DOORS |= {"pasta.avx2", "passt.avx2"}
DOORS |= {"systemd-socket-", "nginx", "haproxy", "caddy", "envoy", "traefik", "apache2", "httpd", "ssh"}
CONTAINED = re.compile(r"docker[-/][0-9a-f]{12}|libpod|kubepods|containerd-|crio-|/lxc|/machine")


class Whose(StrEnum):
    ENGINE = "engine"
    FRONT = "front"  # the engine lives and listens elsewhere
    UNKNOWN = "unknown"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Scene:
    """`at_port` answers at the engine's place, `everywhere` is all that listens; `main` is the engine's main
    pid (0: it has no process), `family` all of its processes. `sees`: pid and inode are of one network."""

    at_port: tuple[Listening, ...]
    everywhere: tuple[Listening, ...]
    people: Mapping[int, Process]
    main: int
    family: frozenset[int]
    sees: Callable[[int, int], bool]


def answering(host: str, found: Iterable[Listening]) -> tuple[Listening, ...]:
    """Those that may answer who connects to `host` from here."""
    names: tuple[str, ...] = ("127.0.0.1", "::1", *WILD)
    if host != "localhost":
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return ()
        names = (str(address), *(WILD if address.is_loopback or address.is_unspecified else ()))
    return tuple(one for one in found if one.address in names)


def whose(scene: Scene) -> Whose:
    family = [scene.people[pid] for pid in scene.family]
    readable = all(one.sockets is not None for one in family)
    told = _by_family(scene, family) or (_by_socket if readable else _by_uid)(scene, family)
    if told is not None:
        return told
    return Whose.FOREIGN if all(_foreign(scene, one) for one in scene.at_port) else Whose.UNKNOWN


def _by_family(scene: Scene, family: list[Process]) -> Whose | None:
    """One of the engine's processes holds it; or the engine lives in a place of its own."""
    wanted = {one.inode for one in scene.at_port}
    if any(one.sockets and one.sockets & wanted for one in family):
        return Whose.ENGINE
    if any(one.name in RUNTIMES for one in family):
        return Whose.UNKNOWN
    elsewhere = scene.main and not all(scene.sees(scene.main, inode) for inode in wanted)
    return Whose.UNKNOWN if elsewhere else None


def _by_socket(scene: Scene, family: list[Process]) -> Whose | None:
    """Everything that the engine holds is known."""
    held = frozenset().union(*(one.sockets or () for one in family))
    return Whose.FRONT if any(one.inode in held for one in scene.everywhere) else None


def _by_uid(scene: Scene, family: list[Process]) -> Whose | None:
    """Only the users under which it runs are known."""
    uids = frozenset().union(*(one.uids for one in family))
    if any(one.uid in uids for one in scene.at_port):
        return Whose.UNKNOWN
    return Whose.FRONT if any(one.uid in uids for one in scene.everywhere) else None


def _foreign(scene: Scene, one: Listening) -> bool:
    """Whoever may hold it is neither the engine nor one that listens for others."""
    found = suspects(scene, one)
    return bool(found) and not any(
        who.name in DOORS or who.marked or who.pid in scene.family or _in_container(scene, who, one)
        for who in found
    )


def suspects(scene: Scene, one: Listening) -> list[Process]:
    """The holders, else every process of that user whose sockets cannot be read."""
    everybody = scene.people.values()
    holders = [who for who in everybody if who.sockets and one.inode in who.sockets]
    return holders or [who for who in everybody if who.sockets is None and one.uid in who.uids]


def _in_container(scene: Scene, who: Process, one: Listening) -> bool:
    return bool(CONTAINED.search(who.cgroup)) and scene.sees(who.pid, one.inode)


def named(scene: Scene) -> str:
    """The program's name, "" where it cannot be told."""
    names = {who.name for one in scene.at_port for who in suspects(scene, one) if who.sockets}
    return names.pop() if len(names) == 1 else ""
