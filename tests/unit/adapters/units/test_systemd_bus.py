import asyncio

import pytest
from dbus_fast import Message
from tests.contract.units_bench import until
from tests.support.fake_systemd import RUNS, fake_systemd

from inferagent.adapters.units.systemd_bus import BUS, PROPERTIES, connect
from inferagent.adapters.units.systemd_bus import _hear as hear_from
from inferagent.adapters.units.systemd_properties import SERVICE, UNIT
from inferagent.ports import PortError

DENIED = "org.freedesktop.DBus.Error.AccessDenied"


@pytest.fixture
async def systemd(tmp_path):
    async with fake_systemd(tmp_path, **RUNS) as fake:
        yield fake


def ignore(*_: object) -> None:
    pass


async def test_values_are_asked_for_all_at_once(systemd):
    async with connect(ignore, systemd.address) as bus:
        path = await bus.object_of("x.service")
        asked = await bus.read(path, [(UNIT, "ActiveState"), (SERVICE, "MainPID"), (UNIT, "Job")])
        assert [asked[0], asked[1], tuple(asked[2])] == ["active", 4242, (0, "/")]


async def test_signals_are_heard(systemd):
    heard = []
    done = asyncio.Event()

    def hear(path: str, member: str, body: object) -> None:
        heard.append((path, member))
        done.set()

    async with connect(hear, systemd.address) as bus:
        await bus.watch(systemd.object)
        systemd.reloaded()
        async with asyncio.timeout(2):
            await done.wait()
        assert heard[0] == ("/org/freedesktop/systemd1", "Reloading")


@pytest.mark.parametrize(("sender", "counts"), [(":1.0", True), (BUS, True), (":1.66", False), (None, False)])
def test_nobody_else_speaks_for_systemd(sender, counts):
    heard = []
    message = Message.new_signal("/x", PROPERTIES, "PropertiesChanged", "s", ["x"])
    message.sender = sender  # the bus writes it, whoever sends
    hear_from(message, lambda *signal: heard.append(signal), ":1.0")
    assert bool(heard) is counts


async def test_that_somebody_subscribed_before_is_no_error(systemd):
    systemd.refuse["Subscribe"] = "org.freedesktop.systemd1.AlreadySubscribed"
    async with connect(ignore, systemd.address) as bus:
        await bus.subscribe()
        systemd.refuse["Subscribe"] = DENIED
        with pytest.raises(PortError, match="cannot ask systemd: it may not be"):
            await bus.subscribe()


async def test_an_error_of_systemd_is_said(systemd):
    systemd.refuse["LoadUnit"] = DENIED
    async with connect(ignore, systemd.address) as bus:
        with pytest.raises(PortError, match="cannot ask systemd: it may not be"):
            await bus.object_of("x.service")


async def test_silence_ends_by_the_deadline(systemd):
    async with connect(ignore, systemd.address, 0.1) as bus:
        systemd.silent = True
        with pytest.raises(PortError, match=r"cannot ask systemd: no answer within 0\.1 s"):
            await bus.object_of("x.service")


async def test_a_bus_that_lets_nobody_in_is_silent_too(systemd):
    place, writers = systemd.path.with_name("silent"), []
    silent = await asyncio.start_unix_server(lambda _, writer: writers.append(writer), place)
    with pytest.raises(PortError, match="cannot reach the system bus"):
        async with connect(ignore, f"unix:path={place}", 0.1):
            pytest.fail("there is nobody")
    for writer in writers:
        writer.close()
    silent.close()


async def test_a_lost_connection_is_noticed_and_refuses_calls(systemd):
    async with connect(ignore, systemd.address) as bus:
        await systemd.close()
        async with asyncio.timeout(2):
            await bus.closed()
        with pytest.raises(PortError, match="cannot ask systemd: "):
            await bus.object_of("x.service")


async def test_a_connection_lost_under_a_call_is_said(systemd):
    systemd.silent = True
    async with connect(ignore, systemd.address) as bus, asyncio.TaskGroup() as group:
        call = group.create_task(refused(bus.object_of("x.service")))
        await until(lambda: "LoadUnit" in systemd.calls, "the call")
        await systemd.close()
        assert str(await call).startswith("cannot ask systemd: ")


async def refused(call) -> PortError:
    with pytest.raises(PortError) as error:
        await call
    return error.value


@pytest.mark.parametrize("address", ["unix:path=/nowhere/bus", "carrier-pigeon:"])
async def test_no_bus_is_said(address):
    with pytest.raises(PortError, match="cannot reach the system bus: "):
        async with connect(ignore, address):
            pytest.fail("there is none")
