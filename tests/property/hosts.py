"""Hosts to begin a story with; each is lived through once and then copied."""

from copy import deepcopy
from functools import cache

from tests.property.world import World

from inferagent.model.desired import EngineKind, Terms
from inferagent.model.phase import Phase


@cache
def _served(terms: Terms) -> World:
    world = World(terms)
    world.connector.start(world.now)
    world.until(lambda w: w.phase is Phase.SERVING, 400.0, step=1.0)
    return world.run(70.0, step=1.0)


def serving(kind: EngineKind = EngineKind.VLLM, *, laws: bool = True, **terms: object) -> World:
    """A host that has been set up, started and joined."""
    served = _served(Terms(engine=kind, made_by_setup=True, **terms))  # type: ignore[arg-type]
    world = deepcopy(served, {id(served.ticks): list(served.ticks)})
    world.laws = laws
    return world
