"""A hold with an end, over clock jumps, reboots and agents that come and go: neither at once nor for ever."""

from dataclasses import dataclass, field

from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.support.fakes import FakeState
from tests.support.virtual import wall

from inferagent.model.desired import Hold
from inferagent.policy.until import JUMP, PATIENCE, ends_after
from inferagent.runtime.holds import Holds

DAY, STEP, ROUNDED = 86400.0, 20.0, 0.001
ERRORS = st.sampled_from([0.0, -DAY, DAY, 3600.0, -3600.0, 1e9, -1e9])


@dataclass
class Machine:
    """True time, a boot clock, and a wall clock that is wrong by `error`; `agent` None while none runs."""

    lasts: float
    true: float = 0.0
    booted: float = -1000.0
    number: int = 1
    error: float = 0.0
    state: FakeState = field(default_factory=FakeState)
    told: bool = True  # the agent has seen this error, and could write down what it means
    trusted: bool = True  # the wall clock that the present end was taken from, or is judged by, was right
    over_at: float | None = None
    up_when_over: float = 0.0

    def __post_init__(self) -> None:
        self.agent: Holds | None = Holds(self.state, self)
        until = ends_after(self.lasts, self.now(), self.boot(), self.wall())
        self.hold: Hold | None = Hold(self.wall(), until=until)
        self.agent.write(self.hold)

    def now(self) -> float:
        return self.true - self.booted

    def boot(self) -> str:
        return f"boot-{self.number}"

    def wall(self) -> str:
        return wall(self.true + self.error)

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")

    # what happens

    def tick(self) -> None:
        if self.agent is None or self.over_at is not None:
            return
        self.hold = self.agent.keep(self.hold)
        self.told = True
        if self.hold is None:
            self.over_at, self.up_when_over = self.true, self.now()

    def run(self, seconds: float) -> None:
        end = self.true + seconds
        while self.true < end:
            self.true = min(end, self.true + STEP)
            self.tick()

    def jump(self, error: float) -> None:
        """In a young boot, whose wall clock is what the hold is about to be judged by, it is not trusted."""
        young = self.number > 1 and self.now() <= PATIENCE
        self.trusted = self.trusted and not (young and error != self.error)
        self.set_clock(error)

    def set_clock(self, error: float) -> None:
        self.told = self.told and error == self.error
        self.error = error

    def reboot(self, down: float, error: float, right_after: float) -> None:
        """With the clock wrong by `error` until it is set right; an agent that never saw the last jump could
        not write it down."""
        before = self.error
        self.trusted = self.trusted and self.told and right_after <= PATIENCE - STEP
        self.agent, self.true, self.number = None, self.true + down, self.number + 1
        self.booted, self.error = self.true, before + error
        self.true += 5.0
        self.start()
        self.run(right_after)
        self.set_clock(before)
        self.tick()

    def away(self, seconds: float) -> None:
        self.agent = None
        self.run(seconds)
        self.start()

    def start(self) -> None:
        self.agent = Holds(self.state, self)
        if self.over_at is None:
            self.hold = self.agent.load()
            self.tick()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.floats(1.0, 2000.0)),
        st.tuples(st.just("jump"), ERRORS),
        st.tuples(st.just("away"), st.floats(1.0, 2000.0)),
        st.tuples(st.just("reboot"), st.floats(1.0, 2000.0), ERRORS, st.floats(1.0, 400.0)),
        st.tuples(st.just("full"), st.booleans()),
    ),
    max_size=8,
)


def told(machine: Machine, steps: list[tuple]) -> int:
    """Plays the steps; how many boots there were."""
    for name, *given_ in steps:
        if name == "full":
            machine.state.full = given_[0]
            machine.trusted = False  # what is not written down is not known after a boot
        else:
            getattr(machine, name)(*given_)
    return machine.number


@settings(max_examples=300, deadline=None)
@given(st.floats(60.0, 7200.0), STEPS)
def test_a_hold_ends_neither_at_once_nor_never(lasts: float, steps: list[tuple]) -> None:
    machine = Machine(lasts)
    boots = told(machine, steps)
    if machine.over_at is not None and boots == 1:
        assert machine.over_at >= lasts - ROUNDED, "within its boot no clock ends it early"
    if machine.over_at is not None and machine.trusted:
        assert machine.over_at >= lasts - JUMP - 1.0, "nor a wall clock that was right in time"
    if machine.over_at is not None and machine.over_at < lasts - ROUNDED:
        assert machine.up_when_over >= PATIENCE, "at least the boot's first minutes are waited for"
    machine.run(PATIENCE + lasts + 2 * STEP)
    assert machine.over_at is not None, "whatever the clocks say, it ends"
    assert machine.hold is None
    event(f"{boots} boots, {'trusted' if machine.trusted else 'untrusted'}")


@settings(max_examples=100, deadline=None)
@given(st.floats(60.0, 7200.0), STEPS)
def test_with_clocks_that_can_be_trusted_it_ends_in_time(lasts: float, steps: list[tuple]) -> None:
    """Late only by what a young boot doubts, or an agent that was away."""
    machine = Machine(lasts)
    told(machine, [step for step in steps if step[0] in ("run", "jump")])
    machine.run(lasts)
    assert machine.over_at is not None
    assert lasts - ROUNDED <= machine.over_at <= lasts + STEP


@settings(max_examples=100, deadline=None)
@given(st.floats(300.0, 7200.0), st.floats(1.0, 2000.0), ERRORS, st.floats(1.0, PATIENCE - STEP))
def test_a_reboot_with_a_clock_that_is_set_right_in_time_moves_the_end_by_little(
    lasts: float, down: float, error: float, right_after: float
) -> None:
    machine = Machine(lasts)
    machine.run(100.0)
    machine.reboot(down, error, right_after)
    machine.run(PATIENCE + lasts)
    assert machine.over_at is not None
    booted = 100.0 + down + 5.0
    assert machine.over_at >= lasts - 1.0
    assert machine.over_at <= max(lasts, booted + PATIENCE) + 2 * STEP
