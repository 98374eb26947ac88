"""The owner of a port, asked of the real kernel: our own children are the engine and the foreign program."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.support.virtual import VirtualClock

from inferagent.adapters.engine.port_owner import HOLDS, PortOwner
from inferagent.adapters.engine.sock_diag import listening
from inferagent.adapters.pids import MARK
from inferagent.lab.demo.world import free_ports
from inferagent.model.engine import Occupant
from inferagent.model.unit import Unit, UnitState
from inferagent.ports import PortError

LISTENS = """
import socket, sys
place = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print(place.getsockname()[1], flush=True)
sys.stdin.read()
"""
WAITS = "import sys; print(0, flush=True); sys.stdin.read()"
DEAD = Unit(UnitState.FAILED, exit="exit code 1")


@contextlib.contextmanager
def program(text: str, port: int = 0, **environment: str) -> Iterator[tuple[int, int]]:
    """Its pid and the port at which it listens; it ends with its standard input."""
    with subprocess.Popen(
        [sys.executable, "-c", text, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
    ) as child:
        assert child.stdout is not None
        yield child.pid, int(child.stdout.readline())


def alive(pid: int, life: str = "e1") -> Unit:
    return Unit(UnitState.RUNNING, life, pid)


class Clock(VirtualClock):
    at = 100.0

    def now(self) -> float:
        return self.at


class Bench:
    """Lists are counted."""

    def __init__(self, port: int, unit: Unit | None) -> None:
        self.unit, self.clock, self.lists = unit, Clock(), 0
        self.owner = PortOwner(f"http://127.0.0.1:{port}", self.clock, self.told, lister=self.listed)

    def told(self) -> Unit | None:
        return self.unit

    def listed(self, port: int) -> list:
        self.lists += 1
        return listening(port)

    def look(self) -> Occupant | None:
        return asyncio.run(self.owner.look())


def test_a_program_outside_of_the_engine_is_foreign_whether_that_lives_or_not():
    with program(LISTENS) as (_, port), program(WAITS) as (engine, _):
        for unit in (alive(engine), DEAD):
            found = Bench(port, unit).look()
            assert found is not None
            assert (found.port, found.uid) == (port, os.getuid())
            assert found.name.startswith("python")


def test_the_engine_itself_is_not():
    with program(LISTENS) as (engine, port):
        assert Bench(port, alive(engine)).look() is None


def test_nor_is_a_child_of_it():
    with program(LISTENS) as (_, port):
        assert Bench(port, alive(os.getpid())).look() is None


def test_a_port_that_nobody_has_is_nobodys():
    assert Bench(free_ports(1)[0], DEAD).look() is None


def test_who_stands_before_an_engine_is_remembered_beyond_its_death():
    with program(LISTENS) as (_, port), program(LISTENS) as (engine, _):
        bench = Bench(port, alive(engine))
        assert bench.look() is None
        bench.unit = DEAD
        assert bench.look() is None
        assert Bench(port, DEAD).look() is not None


def test_what_another_life_has_left_behind_is_not_told_foreign():
    with program(LISTENS, **{MARK: "abc"}) as (_, port):
        assert Bench(port, DEAD).look() is None
        with pytest.raises(PortError, match="unclear"):
            Bench(port, Unit(UnitState.RESTARTING, leftovers=1)).look()


@pytest.mark.parametrize("unit", [None, alive(2**22 + 1)])
def test_a_unit_that_is_unknown_or_has_just_gone_tells_nothing(unit):
    with program(LISTENS) as (_, port), pytest.raises(PortError):
        Bench(port, unit).look()


def test_an_engine_that_changed_meanwhile_tells_nothing():
    with program(LISTENS) as (_, port):
        units = iter([DEAD, alive(os.getpid())])
        owner = PortOwner(f"http://127.0.0.1:{port}", Clock(), lambda: next(units))
        with pytest.raises(PortError, match="meanwhile"):
            asyncio.run(owner.look())


def test_the_same_sockets_of_the_same_life_are_judged_once_in_a_while():
    with program(LISTENS) as (_, port):
        bench = Bench(port, DEAD)
        assert bench.look() == bench.look()
        assert bench.lists == 3  # twice the port, once everything
        bench.clock.at += HOLDS
        bench.look()
        assert bench.lists == 5
