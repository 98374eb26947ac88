"""The noise trace: virtual days of health at its noisiest, with real faults hidden in it, and the verdict."""

import asyncio
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field

from tests.fleet.fleet import Fleet, Shape, play
from tests.fleet.noise.live import Story
from tests.fleet.noise.schedule import DAY, episodes
from tests.fleet.noise.trace import KINDS, NoisyFleet
from tests.fleet.noise.watch import Case, Judge

from inferagent.model.desired import Terms
from inferagent.model.tunnel import IngressRule

READY = IngressRule("gpu.example.com", r"^/\.inferagent/ready$", "http://127.0.0.1:8790")
TERMS = Terms(made_by_setup=True, monitor_bound=240.0, ingress=(READY,))
FAULTS_A_DAY, FEWEST = 25 / 30, 4
LAST = 2 * 3600.0  # time for the last fault to end


@dataclass
class Report:
    days: float
    judge: Judge
    cpu: float
    kinds: dict[str, str]
    lines: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        late = [f"{case}" for case in self.judge.cases if case.problems]
        return [*self.judge.false, *late]

    def __str__(self) -> str:
        return "\n".join(map(self._line, self.kinds))

    def _line(self, host: str) -> str:
        judge = self.judge
        cases = [case for case in judge.cases if case.host == host]
        return (
            f"noise {self.kinds[host]}: {self.days:g} virtual days, {judge.ticks[host]} ticks, "
            f"{judge.drains[host]} drains ({_false(judge, host, 'drained')} false), "
            f"{judge.touches[host]} restarts ({_false(judge, host, 'touched')} false), "
            f"faults found {_count(cases, 'LATE')} of {len(cases)}, "
            f"root cause right {_count(cases, 'MISNAMED')}, back {_count(cases, 'NOT BACK')}, "
            f"CPU {self.cpu / len(self.kinds):.0f} s"
        )


def _false(judge: Judge, host: str, what: str) -> int:
    return sum(f" {host} {what}" in line for line in judge.false)


def _count(cases: list[Case], problem: str) -> int:
    return sum(not any(text.startswith(problem) for text in case.problems) for case in cases)


def run(
    days: float,
    seed: int = 1,
    terms: Terms = TERMS,
    *,
    names: tuple[str, ...] = (),
    until_false: bool = False,
) -> Report:
    """The whole trace; with faults of `names` only, or only to the first drain or touch without a fault."""
    judge = Judge()
    began = time.process_time()
    shape = Shape(engines=KINDS, interval=30.0, rate=0.0, terms=terms, seed=seed)
    fleet = NoisyFleet(shape, [judge], seed)

    async def story(_: Fleet) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in _parts(fleet, judge, days, names)]
            while fleet.now < days * DAY + LAST and not (until_false and judge.false):
                await asyncio.sleep(60.0)
                if fleet.now >= days * DAY and not judge.open:
                    break
            for task in tasks:
                task.cancel()

    play(story, fleet)
    kinds = {host.name: host.terms.engine.value for host in fleet.hosts}
    return Report(days, judge, time.process_time() - began, kinds)


def _parts(
    fleet: NoisyFleet, judge: Judge, days: float, names: tuple[str, ...]
) -> Iterator[Coroutine[None, None, None]]:
    count = len(names) or max(FEWEST, round(FAULTS_A_DAY * days))
    yield fleet.live(episodes(days, KINDS, fleet.seed))
    yield fleet.users()
    for number in range(len(fleet.hosts)):
        yield Story(fleet, judge, number, days, count, names).tell()


def main(days: float = 30.0, seed: int = 1) -> int:
    report = run(days, seed)
    sys.stdout.write("\n".join([str(report), *report.problems, ""]))
    return 1 if report.problems else 0
