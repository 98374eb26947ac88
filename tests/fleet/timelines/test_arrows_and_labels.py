"""Every arrow is taken and every label is shown by the fleet."""

from tests.fleet.fleet import Fleet, Shape, play
from tests.fleet.host import Host
from tests.fleet.law import Law
from tests.fleet.laws import all_laws, broken
from tests.fleet.timelines.later import all_well, long_while
from tests.fleet.timelines.scene import VLLM, engines, out
from tests.property.laws import Tick

from inferagent.model.phase import ARROWS, Label, Phase


class Seen(Law):
    """Collects them."""

    def __init__(self) -> None:
        super().__init__()
        self.arrows: set[tuple[Phase, Phase]] = set()
        self.labels: set[Label | None] = set()

    def tick(self, host: Host, tick: Tick) -> None:
        self.labels.add(tick.decision.label)
        if tick.arrow:
            self.arrows.add(tick.arrow)


async def killed_while_joining(fleet: Fleet, host: Host) -> None:
    """joining → draining, and by way of out all but one of the others."""
    host.engine.kill()
    await fleet.until(lambda: host.phase is Phase.JOINING, 200.0)
    host.engine.kill()
    await fleet.until(lambda: out(host), 60.0)
    await all_well(fleet, 300.0)


async def held_and_second_thoughts(fleet: Fleet, host: Host) -> None:
    """Held until it was out; then called back before it was out, draining → joining."""
    assert host.drain().ok
    await fleet.until(lambda: out(host), 60.0)
    assert host.resume().ok
    await all_well(fleet, 60.0)
    assert host.drain().ok
    await fleet.until(lambda: host.phase is Phase.DRAINING, 10.0)
    assert host.resume().ok
    await fleet.until(lambda: host.phase is Phase.JOINING, 30.0)
    await all_well(fleet, 60.0)


async def parked_and_reconfigured(fleet: Fleet, host: Host) -> None:
    """The second in rank idles; its package is replaced meanwhile; its line is cut."""
    host.resettle(parked="nobody asked for an hour")
    await fleet.until(lambda: out(host), 60.0)
    host.resettle(installing="ollama")
    await fleet.run(10.0)
    host.resettle(installing="", configured=False)
    await fleet.run(10.0)
    host.resettle(configured=True, parked="")
    host.connector.edge = False
    await fleet.run(100.0)
    host.connector.edge = True
    await all_well(fleet, 300.0)


async def dies_until_the_operator_is_asked(fleet: Fleet, host: Host) -> None:
    host.engine.supervised = False
    for _ in range(5):
        host.engine.kill()
        await fleet.run(60.0)
    await long_while(fleet, host, 4000.0)
    host.engine.supervised = True
    await all_well(fleet, 300.0)


async def loses_its_gpu(fleet: Fleet, host: Host) -> None:
    host.gpu_fault = "lost"
    await fleet.until(lambda: out(host), 60.0)
    await host.reboot()
    await all_well(fleet, 300.0)


async def whole_story(fleet: Fleet) -> None:
    await fleet.run(20.0)
    first, second = fleet.hosts
    await killed_while_joining(fleet, first)
    await held_and_second_thoughts(fleet, first)
    await parked_and_reconfigured(fleet, second)
    await dies_until_the_operator_is_asked(fleet, first)
    await loses_its_gpu(fleet, second)


def test_every_arrow_is_taken_and_every_label_is_shown_and_no_law_broken(record_property):
    watching = [*all_laws(), seen := Seen()]
    play(whole_story, Fleet(Shape(engines(VLLM), rate=0.1, steering="off"), watching))
    record_property(
        "figure", f"timeline arrows and labels: {len(seen.arrows)} and {len(seen.labels - {None})}"
    )
    assert seen.arrows == set(ARROWS)
    assert seen.labels == {*Label, None}
    assert broken(watching) == []
