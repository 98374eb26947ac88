"""Negative controls: a story that a rule decides goes wrong with that rule left out of the list."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from tests.property.hosts import serving
from tests.property.world import World

from inferagent.model.action import Push, Restart, Start
from inferagent.model.desired import EngineKind, Mode, Terms
from inferagent.model.phase import Phase
from inferagent.model.unit import Part
from inferagent.policy.rules import RULES, Rule

Rules = Sequence[Rule]
NOBODY = float("inf")


def host(rules: Rules, kind: EngineKind = EngineKind.VLLM, **terms: object) -> World:
    """Serving under all rules; then under those given."""
    world = serving(kind, laws=False, **terms)
    world.rules = rules
    return world


def is_out(world: World) -> bool:
    return world.phase is Phase.OUT


def observing(rules: Rules) -> bool:
    """An observing agent touches nothing, whatever it sees."""
    world = World(Terms(), rules, Mode.OBSERVE, laws=False)
    world.connector.start(world.now)
    world.run(60.0)
    return not any(tick.decision.actions for tick in world.ticks)


def unknown(rules: Rules) -> bool:
    """A host whose connector cannot be read does not join."""
    world = host(rules)
    world.drain()
    world.until(is_out, 60.0)
    world.connector.metrics = False
    world.run(5.0)
    world.resume()
    world.run(60.0)
    return is_out(world)


def last_one_leaves(rules: Rules) -> bool:
    """A hung host that is the last effective one is kept in for a deadline."""
    world = host(rules)
    world.pool.set_peers(False)
    world.run(20.0)
    world.engine.hung_until = NOBODY
    world.run(45.0)
    return world.phase is Phase.SERVING


def open_requests(rules: Rules) -> bool:
    """A stall that ends by itself restarts nothing."""
    world = host(rules)
    world.engine.hung_until = world.now + 50.0
    world.run(100.0)
    return not world.actions(Restart, Part.ENGINE)


def stop_under_requests(rules: Rules) -> bool:
    """The engine is not stopped while a LAN user's answer is still coming."""
    world = host(rules, EngineKind.OLLAMA)
    world.drain()
    world.until(is_out, 60.0)
    world.engine.lan = 1
    world.engine.busy_until = NOBODY
    world.run(10.0)
    world.drain(stop_engine=True)
    world.run(60.0)
    return not world.lost


def fault(rules: Rules) -> bool:
    """On a host that lost a GPU no engine is started again and again."""
    world = host(rules)
    world.gpu_fault = "lost"
    world.run(10.0)
    world.engine.supervised = False
    world.engine.kill(world.now)
    world.run(60.0)
    return not world.actions(Start, Part.ENGINE, since=1090.0)


def refused_writes(rules: Rules) -> bool:
    """Writes that fail are repeated at a growing distance."""
    world = host(rules)
    world.pool.writes = "refused"
    world.drain()
    world.run(60.0)
    return len(world.pool.writes_seen) < 12


def crashes(rules: Rules) -> bool:
    """An engine that dies at once is not started more than three times an hour."""
    world = host(rules)
    world.engine.supervised = False
    for _ in range(20):
        world.engine.kill(world.now)
        world.run(30.0, step=1.0)
    return len(world.actions(Start, Part.ENGINE, since=1090.0)) <= 3


def hold_off(rules: Rules) -> bool:
    """A host that has just failed does not come straight back."""
    world = host(rules)
    world.engine.kill(world.now)
    world.run(50.0)
    return world.phase is not Phase.SERVING and not world.pool.enabled


def proof(rules: Rules) -> bool:
    """A host whose engine answers nothing does not join."""
    world = host(rules)
    world.drain()
    world.until(is_out, 60.0)
    world.engine.hung_until = NOBODY
    world.resume()
    world.run(10.0)
    return not world.pool.enabled


def unsaved(rules: Rules) -> bool:
    """What cannot be written down is not done."""
    world = host(rules)
    world.drain()
    world.until(is_out, 60.0)
    world.disk_full = True
    world.resume()
    world.run(60.0)
    return not world.pool.enabled


def held(rules: Rules) -> bool:
    """While held nothing is started: the operator may be taking the machine apart."""
    world = host(rules)
    world.drain()
    world.until(is_out, 60.0)
    world.engine.supervised = False
    world.engine.kill(world.now)
    world.run(60.0)
    return not world.actions(Start, Part.ENGINE, since=1090.0)


def loan(rules: Rules) -> bool:
    """A parked host of lower rank comes back when the better one dies."""
    world = host(rules)
    world.pool.rank = 5
    world.pool.set_peers(True, first=0)
    world.run(20.0)
    world.desired = replace(world.desired, parked="idle")
    world.until(is_out, 60.0)
    world.pool.set_peers(False, first=0)
    world.run(60.0)
    return world.phase is Phase.SERVING


def cloned(rules: Rules) -> bool:
    """Two machines of one identity do not both join."""
    world = host(rules, machine="machine-a")
    world.drain()
    world.until(is_out, 60.0)
    world.pool.machine = "machine-b"
    world.run(20.0)
    world.resume()
    world.run(60.0)
    return is_out(world)


def dashboard(rules: Rules) -> bool:
    """What another hand disabled is not enabled over its head, however well the engine has just answered."""
    world = host(rules)
    world.pool.users = False
    asked = world.saved.memory.generation_ok_at
    world.until(lambda w: w.saved.memory.generation_ok_at != asked, 130.0)
    world.pool.set(False)
    world.run(60.0)
    return not world.actions(Push, since=1090.0)


STORIES: dict[str, Callable[[Rules], bool]] = {
    "observe": observing,
    "S1": unknown,
    "S2": last_one_leaves,
    "S3": open_requests,
    "S5": stop_under_requests,
    "S6": fault,
    "S7": refused_writes,
    "S8": crashes,
    "S9": hold_off,
    "S11": proof,
    "S12": unsaved,
    "S13": held,
    "S14": loan,
    "S15": cloned,
    "S16": dashboard,
}


def test_every_rule_has_its_story():
    assert sorted(STORIES) == sorted(rule.name for rule in RULES)


@pytest.mark.parametrize("name", STORIES)
def test_with_all_rules_the_story_goes_well(name: str) -> None:
    assert STORIES[name](RULES)


@pytest.mark.parametrize("name", STORIES)
def test_without_its_rule_the_story_goes_wrong(name: str) -> None:
    assert not STORIES[name](tuple(rule for rule in RULES if rule.name != name))
