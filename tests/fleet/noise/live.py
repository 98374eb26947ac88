"""How a fault of the trace goes: it strikes a host that serves, must be found, is cured, ends in serving."""

import asyncio
from random import Random

from tests.fleet.engine import Request
from tests.fleet.host import Host
from tests.fleet.noise.faults import Fault, faults
from tests.fleet.noise.schedule import DAY, HOUR
from tests.fleet.noise.trace import BEFORE, NoisyFleet
from tests.fleet.noise.watch import Case, Judge

from inferagent.model.phase import Phase

TAIL = 40.0  # what must be looked at anew after noise that hid it
SPARE = 3.5 * HOUR  # between the last moment at which a fault strikes and the next fault's first
TOGETHER = 0.2  # of the faults come within minutes of one of the other host
LOST = 2400.0  # seconds after which a fault that nobody finds is given up
KEPT = 75.0  # longer for the last endpoint with an inferred cause: one deadline, and a turn
PACE = 0.5
LATER = ("person", "reboot", "line")  # cures that take somebody's time


class Story:
    """The faults of one host, one after the other."""

    def __init__(
        self, fleet: NoisyFleet, judge: Judge, number: int, days: float, count: int, names: tuple[str, ...]
    ) -> None:
        self.fleet, self.judge, self.host = fleet, judge, fleet.hosts[number]
        self.random = Random(f"{fleet.seed} faults {number}")
        self.faults = faults(self.host.terms.engine, count, self.random, names)
        self.room = days * DAY / max(1, count)

    async def tell(self) -> None:
        for number, fault in enumerate(self.faults):
            both = Random(f"{self.fleet.seed} both {number}")
            together = both.random() < TOGETHER and fault.name != "stall"
            moment = both if together else self.random
            at = number * self.room + moment.uniform(0.3 * HOUR, self.room - SPARE)
            at += self.random.uniform(0.0, 300.0) if together else 0.0
            await asyncio.sleep(max(0.0, at - self.fleet.now))
            if not together:
                await self._wait_for_the_moment(fault)
            self.fleet.rouse(self.host, 2 * BEFORE)
            await asyncio.sleep(BEFORE)
            await self._one(fault)

    async def _wait_for_the_moment(self, fault: Fault) -> None:
        """Every third strikes in the middle of noise; a stall must not be over before it can be seen."""
        in_noise = self.random.random() < 0.4 and fault.name != "stall"
        until = self.fleet.now + 2 * HOUR
        while self.fleet.now < until:
            noisy = any(self.fleet.noisy(self.host).on.values())
            if self._serves() and noisy is in_noise:
                return
            await asyncio.sleep(7.0)

    def _serves(self) -> bool:
        return self.host.phase is Phase.SERVING and self._fine()

    def _fine(self) -> bool:
        host = self.host
        way = host.connector.ready > 0 and host.connector.ingress == host.terms.ingress
        return way and host.engine.would_answer() and not host.gpu_fault and not host.engine.ills.degraded

    async def _one(self, fault: Fault) -> None:
        host, fleet, random = self.host, self.fleet, self.random
        case = self.judge.strike(fault, host)
        if fault.cure == "line":
            fleet.turn(host, "edge", True)
        fault.strike(host, random)
        fleet.stirred.set()
        await self._left(case)
        await self._cured(case)
        await self._back(case)
        self.judge.open.pop(host.name)

    async def _left(self, case: Case) -> None:
        """Users keep coming where it takes a user to meet the fault."""
        fleet, fault = self.fleet, case.fault
        next_user = fleet.now
        while case.left is None and fleet.now < (
            case.struck + LOST if case.over is None else case.over + TAIL
        ):
            if fault.users and fleet.now >= next_user:
                next_user = fleet.now + self.random.uniform(2.0, 8.0)
                fleet.ask(self.host, Request(self.random.uniform(2.0, 20.0)))
            if case.met is None and self._meets(fault):
                case.met = fleet.now
            self._over(case)
            await asyncio.sleep(PACE)
        case.met = case.struck if case.met is None else case.met
        case.allowed = fault.bound + self._blinded(case) + self._held_up(case)
        late = case.left is None or case.left - case.met > case.allowed
        if late:
            case.problems.append(f"LATE: {case.allowed:.0f} s were allowed")
        unseen = case.left is not None and case.left - case.met > fault.bound
        codes = {*fault.codes, *(fault.unseen if unseen else ())}
        if case.left is not None and not {case.code, case.root} <= codes:
            case.problems.append(f"MISNAMED: not {' or '.join(codes)}")

    def _meets(self, fault: Fault) -> bool:
        """A user has come to the fault."""
        engine = self.host.engine
        return engine.ills.wrong or (engine.hung() and bool(engine.running or engine.waiting))

    def _blinded(self, case: Case) -> float:
        """Seconds in which noise hid the fault, and what it takes to see it anew."""
        assert case.met is not None
        end = self.fleet.now if case.left is None else case.left
        shared = ("account", "429")
        spans = [
            (max(begin, case.met - TAIL), min(stop + TAIL, end))
            for name, noise, begin, stop in self.fleet.log
            if noise in case.fault.blind and (name == case.host or noise in shared)
        ]
        covered, last = 0.0, case.met
        for begin, stop in sorted(spans):
            covered += max(0.0, stop - max(begin, last))
            last = max(last, stop)
        return covered

    def _held_up(self, case: Case) -> float:
        """The last endpoint is kept in for a deadline, or as long as its cause is soft."""
        assert case.met is not None
        others = [host for host in self.fleet.hosts if host is not self.host]
        end = self.fleet.now if case.left is None else case.left
        alone = any(_away(self.judge, other, case.met, end) for other in others)
        if case.fault.soft:
            return LOST if alone else 0.0
        return KEPT if case.fault.inferred and alone else 0.0

    def _over(self, case: Case) -> None:
        """A fault that nobody has met yet is still to come."""
        if case.over is None and case.met is not None and self.fleet.now > case.met + 1.0 and self._fine():
            case.over = self.fleet.now

    async def _cured(self, case: Case) -> None:
        fault, host, fleet = case.fault, self.host, self.fleet
        if fault.then is not None:
            await self._then(case)
        await asyncio.sleep(self.random.uniform(60.0, 900.0) if fault.cure in LATER else 0.0)
        case.cured = fault.cure in LATER
        if fault.cure == "line":
            fleet.turn(host, "edge", False)
        elif fault.cure == "reboot":
            fault.heal(host)
            await host.reboot(60.0)
        elif fault.cure != "restart" or case.left is None:
            fault.heal(host)
        if case.left is None:
            host.engine.flash()  # whatever nobody has found ends here
        fleet.stirred.set()

    async def _then(self, case: Case) -> None:
        """A cause that is named later, when it can be known, and stays the root."""
        assert case.fault.then is not None
        code, within = case.fault.then
        left = self.fleet.now if case.left is None else case.left
        end, named = left + within, [case.root]
        while self.fleet.now < min(end, left + within + 3600.0) and code not in named:
            if any(self.fleet.noisy(self.host).on[name] for name in ("slow", "GPU", "agent", "frozen")):
                end = max(end, self.fleet.now + TAIL)
            await asyncio.sleep(PACE)
            named = [case.root, *(name for _, name in case.roots)]
        if code not in named:
            case.problems.append(f"MISNAMED: never {code}, but {named}")

    async def _back(self, case: Case) -> None:
        began = self.fleet.now
        while case.back is None and self.fleet.now < began + LOST + case.fault.back:
            self._over(case)
            if case.over is not None and case.left is None and self.host.phase is Phase.SERVING:
                case.back = self.fleet.now
            await asyncio.sleep(PACE)
        if case.back is None or case.back - began > case.fault.back + self._blinded_since(began):
            case.problems.append(f"NOT BACK within {case.fault.back:.0f} s: {self.host.told()}")
        case.over = case.over or self.fleet.now

    def _blinded_since(self, began: float) -> float:
        """Any noise delays a join."""
        end = self.fleet.now
        spans = [(a, b) for _, _, a, b in self.fleet.log if b >= began and a <= end]
        return sum(min(b + TAIL, end) - max(a, began) for a, b in spans)


def _away(judge: Judge, host: Host, begin: float, end: float) -> bool:
    """The other host was not serving at some time from 60 s before to then."""
    cases = [case for case in judge.cases if case.host == host.name]
    return any(case.struck <= end and (case.back or end) >= begin - 90.0 for case in cases)
