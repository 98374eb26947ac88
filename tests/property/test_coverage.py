"""Every arrow and every label is taken by some story."""

from dataclasses import replace

from tests.property.hosts import serving
from tests.property.world import World

from inferagent.model.phase import ARROWS, Label, Phase


def out(world: World) -> bool:
    return world.phase is Phase.OUT


def crash_and_crash_again() -> World:
    """Killed while serving, killed again while joining."""
    world = serving()
    world.engine.kill(world.now)
    world.until(lambda w: w.phase is Phase.JOINING, 200.0)
    world.engine.kill(world.now)
    world.run(1.0)
    return world


def second_thoughts() -> World:
    """Drained and resumed before it was out."""
    world = serving()
    world.drain()
    world.run(4.0)  # the best of a pool lets others leave first
    world.resume()
    world.run(10.0)
    return world


def every_label() -> World:
    """One after the other, while out."""
    world = serving()
    world.desired = replace(world.desired, parked="idle")
    world.pool.rank = 5
    world.pool.set_peers(True, first=0)
    world.until(out, 100.0)
    for wish in ({"configured": False}, {"configured": True, "installing": "ollama"}, {"installing": ""}):
        world.desired = replace(world.desired, **wish)
        world.run(1.0)
    world.drain()
    world.run(1.0)
    world.resume()
    world.run(1.0)
    world.desired = replace(world.desired, parked="")
    world.connector.edge = False
    world.run(80.0)
    world.connector.edge = True
    world.run(5.0)
    world.pool.machine, world.terms = "machine-b", replace(world.terms, machine="machine-a")
    world.desired = replace(world.desired, terms=world.terms)
    world.run(20.0)
    world.drain()
    world.until(out, 100.0)
    world.resume()
    world.run(5.0)
    world.engine.supervised = False
    for _ in range(5):
        world.engine.kill(world.now)
        world.run(40.0)
    world.engine.kill(world.now)
    world.run(200.0)
    world.gpu_fault = "lost"
    world.run(6.0)
    return world


def test_every_arrow_is_taken():
    taken = {arrow for story in (crash_and_crash_again, second_thoughts) for arrow in story().arrows()}
    assert taken == set(ARROWS)


def test_every_label_is_shown():
    assert {tick.decision.label for tick in every_label().ticks} == {*Label, None}
