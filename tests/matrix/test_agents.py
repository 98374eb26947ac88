"""What faults ask about agents: phases as they come, and what was written to a pool since the strike."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from tests.matrix import agents
from tests.matrix.watch import Moment

POOL = "/accounts/a/load_balancers/pools/p1"


@dataclass
class SaidHost:
    name: str = "struck"
    said: list[dict | None] = field(default_factory=list)

    async def status(self):
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]


class SaidWorld:
    def __init__(self, *journal):
        self.journal = list(journal)

    async def ask(self, method, path):
        assert (method, path) == ("GET", "/journal")
        return self.journal

    async def pool(self, host):
        return {"id": "p1"}


def write(path, enabled):
    return {"path": path, "body": {"enabled": enabled}}


async def test_a_phase_is_waited_for_through_silence():
    host = SaidHost(said=[None, {"phase": "serving"}, {"phase": "draining"}])
    await agents.in_phase(host, "draining")
    with pytest.raises(AssertionError, match="struck not out within 0 s but draining"):
        await agents.in_phase(host, "out", 0.1)


async def test_only_writes_to_the_own_pool_since_the_strike_count():
    world = SaidWorld(write(POOL, False), write(POOL + "x", True), write(POOL, True))
    stage = SimpleNamespace(world=world, host=SaidHost(), notes={"journal": 1})
    assert await agents.writes(stage) == [{"enabled": True}]
    assert await agents.unwritten(stage) == ["the pool was written 1×: [{'enabled': True}]"]
    stage.notes["journal"] = 3
    assert await agents.unwritten(stage) == []


async def test_findings_are_codes_and_none_of_a_silent_agent():
    assert await agents.findings(SaidHost(said=[{"findings": [{"code": "no-edge"}]}])) == ["no-edge"]
    assert await agents.findings(SaidHost(said=[None])) == []


def test_phases_come_once_each():
    seen = [Moment(float(at), True, phase) for at, phase in enumerate(("serving", "", "out", "serving"))]
    stage = SimpleNamespace(watch=SimpleNamespace(since=lambda at: seen), struck=0.0)
    assert agents.phases(stage) == ["serving", "out"]
