"""A system bus with a systemd behind it, in one unix socket: it tells the properties of one unit.

`silent`: takes calls and answers none, as a bus that hangs does. `refuse`: members that an error answers.
`at_get`: called once, before the next property is told.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast._private.unmarshaller import Unmarshaller

from inferagent.adapters.units.systemd_properties import SERVICE, UNIT

PROPERTIES = "org.freedesktop.DBus.Properties"
MANAGER = "org.freedesktop.systemd1.Manager"
SIGNATURES = {
    "InvocationID": "ay",
    "Job": "(uo)",
    "LoadError": "(ss)",
    "StartLimitBurst": "u",
    "StartLimitIntervalUSec": "t",
    "ExecMainStartTimestampMonotonic": "t",
    "ExecMainCode": "i",
    "ExecMainStatus": "i",
    "MainPID": "u",
    "ControlPID": "u",
    "NRestarts": "u",
}
RUNS = {"ActiveState": "active", "SubState": "running", "InvocationID": b"\x01" * 16, "MainPID": 4242}
DIED = {
    "MainPID": 0,
    "ActiveState": "failed",
    "SubState": "failed",
    "Result": "signal",
    "ExecMainCode": 2,
    "ExecMainStatus": 9,
}
WAITS = {"ActiveState": "activating", "SubState": "auto-restart"}
STOPPED = {
    UNIT: {
        "LoadState": "loaded",
        "LoadError": ["", ""],
        "ActiveState": "inactive",
        "SubState": "dead",
        "InvocationID": b"",
        "Job": [0, "/"],
        "StartLimitBurst": 5,
        "StartLimitIntervalUSec": 10_000_000,
    },
    SERVICE: {
        "MainPID": 0,
        "ControlPID": 0,
        "ExecMainStartTimestampMonotonic": 0,
        "ExecMainCode": 0,
        "ExecMainStatus": 0,
        "Result": "success",
        "NRestarts": 0,
        "Restart": "always",
        "ControlGroup": "",
    },
}


def variant(name: str, value: Any) -> Variant:
    return Variant(SIGNATURES.get(name, "s"), value)


class FakeSystemd:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.object = "/org/freedesktop/systemd1/unit/x_2eservice"
        self.values = {interface: dict(values) for interface, values in STOPPED.items()}
        self.silent = False
        self.refuse: dict[str, str] = {}
        self.at_get: Callable[[], None] | None = None
        self.calls: list[str] = []
        self.connections = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"unix:path={self.path}"

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        """The bus goes away, with every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.close()
        self._writers.clear()
        self.path.unlink(missing_ok=True)
        await asyncio.sleep(0)

    def put(self, **changes: Any) -> None:
        """Changed without a word."""
        for name, value in changes.items():
            place = next(values for values in self.values.values() if name in values)
            place[name] = value

    def change(self, **changes: Any) -> None:
        """Changed, and told by two signals, the service's first."""
        self.put(**changes)
        for interface in (SERVICE, UNIT):
            told = {name: value for name, value in self.values[interface].items() if name != "ControlGroup"}
            body = [interface, {name: variant(name, value) for name, value in told.items()}, []]
            self.signal(self.object, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)

    def reloaded(self) -> None:
        for active in (True, False):
            self.signal("/org/freedesktop/systemd1", MANAGER, "Reloading", "b", [active])

    def new_owner(self) -> None:
        name = "org.freedesktop.systemd1"
        bus = "org.freedesktop.DBus"
        self.signal("/org/freedesktop/DBus", bus, "NameOwnerChanged", "sss", [name, ":1.0", ":1.9"])

    def signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        for writer in self._writers:
            self._send(writer, Message.new_signal(path, interface, member, signature, body))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while (line := await reader.readuntil(b"\r\n")) != b"BEGIN\r\n":
                if b"AUTH" in line:
                    writer.write(b"OK 0123456789abcdef0123456789abcdef\r\n")
            self._writers.append(writer)
            while True:
                self._answer(writer, await _message(reader))
        if writer in self._writers:
            self._writers.remove(writer)
        writer.close()

    def _answer(self, writer: asyncio.StreamWriter, call: Message) -> None:
        self.calls.append(call.member)
        if self.silent and call.member != "Hello":
            return
        if call.member in self.refuse:
            self._send(writer, Message.new_error(call, self.refuse[call.member], "it may not be"))
            return
        signature, body = self._result(call)
        self._send(writer, Message.new_method_return(call, signature, body))

    def _result(self, call: Message) -> tuple[str, list[Any]]:
        match call.member:
            case "Hello":
                return "s", [":1.7"]
            case "LoadUnit":
                return "o", [self.object]
            case "Get":
                interface, name = call.body
                at_get, self.at_get = self.at_get, None
                if at_get:
                    at_get()
                return "v", [variant(name, self.values[interface][name])]
        return "", []

    def _send(self, writer: asyncio.StreamWriter, message: Message) -> None:
        message.serial = message.serial or 1
        message.sender = "org.freedesktop.systemd1"
        writer.write(bytes(message._marshall(False)))


async def _message(reader: asyncio.StreamReader) -> Message:
    head = await reader.readexactly(16)
    order = "little" if head[:1] == b"l" else "big"
    body, fields = (int.from_bytes(head[at : at + 4], order) for at in (4, 12))
    rest = await reader.readexactly(fields + -fields % 8 + body)
    message = Unmarshaller(io.BytesIO(head + rest)).unmarshall()
    assert message is not None
    assert message.message_type is MessageType.METHOD_CALL
    return message


@asynccontextmanager
async def fake_systemd(folder: Path, **values: Any) -> AsyncIterator[FakeSystemd]:
    fake = FakeSystemd(folder / "bus")
    fake.put(**values)
    await fake.open()
    try:
        yield fake
    finally:
        await fake.close()
