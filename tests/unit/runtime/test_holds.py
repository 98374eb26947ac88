"""The hold over time: ended when its time is over, true to the clocks, whatever the disk does."""

from dataclasses import replace

import pytest
from tests.support.fakes import FakeState
from tests.support.virtual import wall

from inferagent.model.desired import Hold
from inferagent.policy.until import PATIENCE, ends_after
from inferagent.ports import PortError
from inferagent.runtime.holds import AGAIN, Holds

DAY = 86400.0


class Clocks:
    """`error`: seconds by which the wall clock is wrong."""

    def __init__(self) -> None:
        self.true, self.booted, self.number, self.error = 0.0, -1000.0, 1, 0.0

    def now(self) -> float:
        return self.true - self.booted

    def boot(self) -> str:
        return f"boot-{self.number}"

    def wall(self) -> str:
        return wall(self.true + self.error)

    def reboot(self, down: float) -> None:
        self.true, self.number = self.true + down, self.number + 1
        self.booted = self.true

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def state() -> FakeState:
    return FakeState()


@pytest.fixture
def holds(state: FakeState, clocks: Clocks) -> Holds:
    return Holds(state, clocks)


def hold(clocks: Clocks, lasts: float = 3600.0) -> Hold:
    return Hold(clocks.wall(), until=ends_after(lasts, clocks.now(), clocks.boot(), clocks.wall()))


def test_none_and_one_without_an_end_stay_as_they_are(holds: Holds, state: FakeState, clocks: Clocks) -> None:
    endless = Hold(clocks.wall(), "disk")
    assert holds.keep(None) is None
    assert holds.keep(endless) is endless
    assert state.order == [], "and cost nothing"


def test_it_stands_to_its_last_second_and_is_then_gone_from_the_disk(
    holds: Holds, state: FakeState, clocks: Clocks
) -> None:
    given = hold(clocks)
    holds.write(given)
    clocks.true = 3599.0
    assert holds.keep(given) is given
    clocks.true = 3600.0
    assert holds.keep(given) is None
    assert state.hold is None
    assert holds.load() is None


def test_an_agent_that_was_away_finds_it_over(holds: Holds, state: FakeState, clocks: Clocks) -> None:
    holds.write(hold(clocks))
    clocks.true = 4000.0
    assert Holds(state, clocks).load() is None
    assert state.hold is None


def test_a_full_disk_keeps_no_hold_alive_and_is_asked_again(
    holds: Holds, state: FakeState, clocks: Clocks
) -> None:
    given = hold(clocks)
    holds.write(given)
    clocks.true, state.full = 3600.0, True
    assert holds.keep(given) is None
    for _ in range(5):
        assert holds.keep(None) is None
    assert state.order.count("save hold") == 2, "not at every tick"
    state.full = False
    clocks.true += AGAIN
    assert holds.keep(None) is None
    assert state.hold is None
    assert holds.keep(None) is None
    assert state.order.count("save hold") == 3


def test_the_end_of_an_old_hold_takes_no_new_one_with_it(
    holds: Holds, state: FakeState, clocks: Clocks
) -> None:
    given = hold(clocks)
    holds.write(given)
    clocks.true, state.full = 3600.0, True
    assert holds.keep(given) is None
    endless = Hold(clocks.wall(), "disk", durable=False)
    with pytest.raises(PortError, match="cannot save the hold"):
        holds.write(endless)
    state.full, state.hold = False, endless  # left in the runtime folder
    clocks.true += AGAIN
    assert holds.keep(endless) is endless
    assert state.hold is endless


def test_a_jump_of_the_wall_clock_is_written_once(holds: Holds, state: FakeState, clocks: Clocks) -> None:
    given = hold(clocks)
    holds.write(given)
    clocks.true, clocks.error = 600.0, -DAY
    moved = holds.keep(given)
    assert moved is not None
    assert moved.until is not None
    assert moved.until.wall == wall(3600.0 - DAY)
    assert state.hold == moved
    assert holds.keep(moved) is moved
    assert state.order.count("save hold") == 2


def test_a_hold_of_this_boot_alone_is_not_written_where_it_would_last_longer(
    holds: Holds, state: FakeState, clocks: Clocks
) -> None:
    given = replace(hold(clocks), durable=False)
    clocks.true, clocks.error = 600.0, DAY
    moved = holds.keep(given)
    assert moved is not None
    assert moved.until != given.until
    assert state.hold is None


@pytest.mark.parametrize("error", [0.0, -DAY, DAY])
def test_over_a_reboot_the_end_stands_where_it_stood(
    holds: Holds, state: FakeState, clocks: Clocks, error: float
) -> None:
    """The clock may be wrong for the first minute of a boot."""
    holds.write(hold(clocks))
    clocks.true = 600.0
    clocks.reboot(300.0)
    clocks.error = error
    here = Holds(state, clocks)
    held = here.load()
    assert held is not None
    clocks.true += 60.0
    held = here.keep(held)
    clocks.error = 0.0
    clocks.true = 900.0 + PATIENCE
    held = here.keep(held)
    assert held is not None
    clocks.true = 3599.0
    held = here.keep(held)
    assert held is not None
    clocks.true = 3600.0
    assert here.keep(held) is None


def test_a_clock_that_stays_wrong_ends_it_later_or_earlier_but_ends_it(
    holds: Holds, state: FakeState, clocks: Clocks
) -> None:
    holds.write(hold(clocks))
    clocks.reboot(60.0)
    clocks.error = -DAY
    here = Holds(state, clocks)
    held = here.load()
    clocks.true += PATIENCE
    held = here.keep(held)
    assert held is not None
    clocks.true += 3600.0
    assert here.keep(held) is None


def test_removing_by_hand_ends_the_tries_to_remove(holds: Holds, state: FakeState, clocks: Clocks) -> None:
    given = hold(clocks)
    holds.write(given)
    clocks.true, state.full = 3600.0, True
    assert holds.keep(given) is None
    state.full = False
    again = Hold(clocks.wall(), "disk")
    holds.write(again)
    clocks.true += AGAIN
    assert holds.keep(again) is again
    assert state.hold == again, "a new word is not removed for the old one's sake"
