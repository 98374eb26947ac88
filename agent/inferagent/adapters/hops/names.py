"""From a host name to its addresses: as told, by a given name server, or as this host resolves names."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.hops import dns
from inferagent.ports import PortError

Place = tuple[str, int]


class NoNameError(PortError):
    """The name has no address."""


@dataclass(frozen=True, slots=True)
class Names:
    """`overrides` are (host, port, address), as of curl's --resolve; `server` stands in for the system's."""

    overrides: tuple[tuple[str, int, str], ...] = ()
    server: Place | None = None

    async def addresses(self, host: str, port: int, timeout: float) -> tuple[str, ...]:
        """At least one; NoNameError where there is none, PortError where no server answers."""
        told = tuple(address for name, at, address in self.overrides if (name, at) == (host, port))
        if told or _is_number(host):
            return told or (host,)
        try:
            host.encode("idna")
        except UnicodeError:  # a label that is empty or too long: resolvers raise this instead of an answer
            raise NoNameError(f"cannot resolve {host}: that is no host name", refused=True) from None
        if self.server is None:
            return await _system(host, port, timeout)
        return await _asked(self.server, host, timeout)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _asked(server: Place, host: str, timeout: float) -> tuple[str, ...]:
    async def one(kind: int) -> tuple[dns.Record, ...] | PortError:
        try:
            return await dns.ask(server, host, kind, timeout)
        except dns.NoSuchNameError as error:
            return NoNameError(str(error), refused=True)
        except PortError as error:
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(kind)) for kind in (dns.A, dns.AAAA)]
    records: list[dns.Record] = []
    for answer in (task.result() for task in tasks):
        if isinstance(answer, PortError):
            raise answer
        records += answer
    found = tuple(record.data for record in records if record.kind in (dns.A, dns.AAAA))
    if not found:
        leads = [record.data for record in records if record.kind == dns.CNAME]
        where = f", it only leads to {leads[-1]}" if leads else ""
        raise NoNameError(f"cannot resolve {host}: the name has no address{where}")
    return found


async def _system(host: str, port: int, timeout: float) -> tuple[str, ...]:
    """As any program of this host resolves it; in a thread, which a dead name server keeps busy."""

    def look() -> tuple[str, ...] | socket.gaierror:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            return error
        return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))

    answer = await Aside(f"the address of {host}").read(look, timeout)
    if isinstance(answer, tuple):
        return answer
    text = f"cannot resolve {host}: {answer.strerror}"
    missing = answer.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    raise NoNameError(text) if missing else PortError(text)
