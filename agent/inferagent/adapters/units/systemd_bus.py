"""A connection to the system bus that speaks with systemd only; the errors of the bus's library end here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, InvalidAddressError

from inferagent.ports import PortError

SYSTEMD = "org.freedesktop.systemd1"
MANAGER = f"{SYSTEMD}.Manager"
MANAGER_PATH = "/org/freedesktop/systemd1"
PROPERTIES = "org.freedesktop.DBus.Properties"
BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"
ANSWERS = 2.0  # seconds; it answers within one thousandth of one

Heard = Callable[[str, str, Sequence[Any]], None]  # path, member and body of a signal
_TROUBLES = (OSError, EOFError, DBusError, AuthError, InvalidAddressError)


class Bus:
    """Every call raises PortError, after `answers` seconds at the latest."""

    def __init__(self, bus: MessageBus, answers: float) -> None:
        self._bus, self._answers = bus, answers
        self.owner = ""  # systemd's own name on the bus, by its last answer

    async def watch(self, path: str) -> None:
        """From now on hear of changes of the object, of a reload of systemd, and of another systemd."""
        await self._match(f"sender='{SYSTEMD}',path='{path}',interface='{PROPERTIES}'")
        for member in ("Reloading", "UnitFilesChanged"):
            await self._match(f"sender='{SYSTEMD}',interface='{MANAGER}',member='{member}'")
        await self._match(f"sender='{BUS}',member='NameOwnerChanged',arg0='{SYSTEMD}'")
        await self.subscribe()

    async def subscribe(self) -> None:
        """Without this systemd sends no signals; twice is no error."""
        await self._call(SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe", tolerated="AlreadySubscribed")

    async def object_of(self, unit: str) -> str:
        """The path of the unit's object, whether there is such a unit or not; an alias has its target's."""
        return str((await self._call(SYSTEMD, MANAGER_PATH, MANAGER, "LoadUnit", unit))[0])

    async def read(self, path: str, names: Sequence[tuple[str, str]]) -> list[Any]:
        """The values of (interface, name), all asked for at once."""
        asked = (self._call(SYSTEMD, path, PROPERTIES, "Get", *pair) for pair in names)
        return [body[0].value for body in await asyncio.gather(*asked)]

    async def closed(self) -> None:
        """Returns when the connection is lost, for whatever reason."""
        lost = self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
        await asyncio.gather(lost, return_exceptions=True)

    async def _match(self, rule: str) -> None:
        await self._call(BUS, BUS_PATH, BUS, "AddMatch", f"type='signal',{rule}")

    async def _call(
        self, to: str, path: str, interface: str, member: str, *texts: str, tolerated: str = ""
    ) -> Sequence[Any]:
        message = Message(
            destination=to,
            path=path,
            interface=interface,
            member=member,
            signature="s" * len(texts),
            body=list(texts),
        )
        if not self._bus.connected:
            raise PortError("cannot ask systemd: the connection to the system bus is lost")
        try:
            async with asyncio.timeout(self._answers):
                reply = await self._bus.call(message)
        except TimeoutError:
            raise PortError(f"cannot ask systemd: no answer within {self._answers:g} s") from None
        except _TROUBLES as error:
            raise PortError(f"cannot ask systemd: {error or 'the system bus is gone'}") from error
        if reply.message_type is MessageType.ERROR and not (
            tolerated and tolerated in (reply.error_name or "")
        ):
            raise PortError(f"cannot ask systemd: {reply.body[0] if reply.body else reply.error_name}")
        if to == SYSTEMD:
            self.owner = reply.sender or ""
        return list(reply.body)


@asynccontextmanager
async def connect(heard: Heard, address: str | None = None, answers: float = ANSWERS) -> AsyncIterator[Bus]:
    """`address`: None for the system's. `heard` is called within the loop and must not raise."""
    try:
        bus = MessageBus(address, BusType.SYSTEM, auth_timeout=answers)
        async with asyncio.timeout(2 * answers):
            await bus.connect()
    except TimeoutError:
        raise PortError("cannot reach the system bus: no answer") from None
    except _TROUBLES as error:
        raise PortError(f"cannot reach the system bus: {error}") from error
    made = Bus(bus, answers)
    bus.add_message_handler(lambda message: _hear(message, heard, made.owner))
    try:
        yield made
    finally:
        bus.disconnect()


def _hear(message: Message, heard: Heard, owner: str) -> None:
    """Any user of the host may send signals to this connection: those of systemd and of the bus count."""
    if message.message_type is MessageType.SIGNAL and (message.sender or "") in (owner, BUS):
        heard(message.path or "", message.member or "", message.body)


def plain(changed: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a PropertiesChanged signal, out of their variants."""
    return {name: variant.value for name, variant in changed.items()}
