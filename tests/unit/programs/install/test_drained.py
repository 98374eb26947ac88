"""A part in use is replaced while the host is out; an agent that refuses, hangs or does not come back."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.agent_door import Door, opened

from inferagent.config.load import load
from inferagent.config.sources import Patience, read_sources
from inferagent.model.unit import Part
from inferagent.ports import PortError
from inferagent.programs.install.agent import Agent
from inferagent.programs.install.drained import Drained, SystemdUnits, User, user_of

ENGINE, CHILD = User(Part.ENGINE, "ollama.service"), User(Part.ENGINE, "")
CONNECTOR = User(Part.CONNECTOR, "cloudflared.service")


@dataclass
class Units:
    """A systemd that writes down what it is asked. `fails`: which verb."""

    runs_now: bool = True
    fails: str = ""
    done: list[str] = field(default_factory=list)

    def perform(self, unit: str, verb: str) -> None:
        if verb == self.fails:
            raise PortError(f"cannot {verb} {unit}")
        self.done.append(f"{verb} {unit}")

    def runs(self, unit: str) -> bool:
        return self.runs_now


@pytest.fixture
def door() -> Iterator[Door]:
    with tempfile.TemporaryDirectory() as folder, opened(Door(Path(folder) / "run")) as made:
        yield made


def patience(**changes: float) -> Patience:
    return read_sources(Path("/nonexistent")).patience.model_copy(
        update={"leave": 3.0, "back": 3.0, **changes}
    )


def drained(door: Door, units: Units | None = None, *, last: bool = False, **changes: float) -> Drained:
    agent = Agent(door.run, lambda _: None, answer=0.5, pace=0.01)
    return Drained(agent, units or Units(), patience(**changes), last)


def replaced(household: Drained, user: User | None, door: Door) -> list[str]:
    """The phase of the host, how its engine is, and the way, at the moment of the switch."""
    with household.around("install x 2", user) as way:
        return [door.phase, door.engine, way.value]


def test_an_engine_is_down_while_it_is_replaced_and_started_by_the_agent(door):
    units = Units()
    assert replaced(drained(door, units), ENGINE, door)[0] == "out"
    order = door.orders[0][1]
    whole = patience().packages + 2 * patience().leave
    assert whole < order.pop("for") < 3600.0, "a hold outlives its installer for ever"
    assert order == {"reason": "install x 2", "stop_engine": True, "last": False}
    assert units.done == ["stop ollama.service"]
    assert door.paths == ["/v1/drain", "/v1/resume"]
    assert drained(door).serves_again()
    assert door.phase == "serving"


def test_an_engine_that_is_a_child_of_the_agent_is_waited_for(door):
    units = Units()
    assert replaced(drained(door, units), CHILD, door)[:2] == ["out", "stopped (exit 0)"]
    assert units.done == []


def test_a_connector_is_restarted_only_where_it_runs(door):
    units = Units()
    assert replaced(drained(door, units), CONNECTOR, door)[0] == "out"
    assert door.orders[0][1]["stop_engine"] is False
    assert units.done == ["restart cloudflared.service"]
    rests = Units(runs_now=False)
    replaced(drained(door, rests), CONNECTOR, door)
    assert rests.done == [], "a replica that is out has none"


def test_the_last_endpoint_stays_unless_it_is_told(door):
    door.refuses = True
    with pytest.raises(PortError, match="no other host can answer → inferagent drain --last"):
        replaced(drained(door), ENGINE, door)
    assert door.phase == "serving"
    assert door.paths == ["/v1/drain"]
    assert replaced(drained(door, last=True), ENGINE, door)[0] == "out"


def test_a_host_that_does_not_get_out_stays_as_it_is(door):
    door.stays = True
    with pytest.raises(PortError, match=r"this host is not out within 0\.2 s"):
        replaced(drained(door, leave=0.2), ENGINE, door)
    assert door.paths == ["/v1/drain", "/v1/resume"]


def test_a_status_from_before_the_hold_is_not_believed(door):
    door.late = 3
    assert replaced(drained(door), CONNECTOR, door)[0] == "out"
    assert door.late == 0


def test_a_switch_that_fails_comes_back_all_the_same(door):
    with pytest.raises(PortError, match="no disk"), drained(door).around("x", ENGINE):
        raise PortError("no disk")
    assert door.paths[-1] == "/v1/resume"


def test_an_engine_that_does_not_stop_is_not_replaced(door):
    with pytest.raises(PortError, match="cannot stop"):
        replaced(drained(door, Units(fails="stop")), ENGINE, door)
    assert door.paths[-1] == "/v1/resume"


def test_a_host_that_is_held_stays_held(door):
    door.hold, door.phase = "away for the weekend", "out"
    units = Units()
    assert replaced(drained(door, units), ENGINE, door) == ["out", "running", "held"]
    assert units.done == ["stop ollama.service", "start ollama.service"]
    assert door.orders == []
    with pytest.raises(PortError, match="sudo inferagent resume"):
        replaced(drained(door), CHILD, door)


@pytest.mark.parametrize("user", [ENGINE, None])
def test_without_an_agent_it_just_switches(user, tmp_path):
    nobody = Door(tmp_path / "nobody")
    assert replaced(drained(nobody), user, nobody) == ["serving", "running", "alone"]


def test_a_host_that_only_observes_and_a_part_that_nobody_uses(door):
    assert replaced(drained(door), None, door) == ["serving", "running", "alone"]
    door.mode = "observe"
    assert replaced(drained(door), ENGINE, door) == ["serving", "running", "alone"]
    assert door.orders == []


def test_an_agent_that_hangs(door):
    door.silent = True
    with pytest.raises(PortError, match="cannot ask the agent how it is: timed out → sudo journalctl"):
        replaced(drained(door), ENGINE, door)


def test_a_host_that_does_not_serve_again(door):
    door.ill = True
    replaced(drained(door), ENGINE, door)
    assert not drained(door, back=0.2).serves_again()


def test_whose_part_it_is(tmp_path):
    (tmp_path / "config.toml").write_text(
        '[[engine]]\nkind = "vllm"\nurl = "http://127.0.0.1:8000"\nunit = "v.service"\nserves = { a = "a" }\n'
        '[connector]\ncommand = ["x"]\nhostname = "a.example.com"\n[membership]\nkind = "pull"\n'
    )
    settings = load(tmp_path).settings
    assert user_of("vllm", settings) == User(Part.ENGINE, "v.service")
    assert user_of("ollama", settings) is None
    assert user_of("cloudflared", settings) == User(Part.CONNECTOR, "")
    assert user_of("vllm", None) is None


def test_systemd_that_says_no_is_a_port_error():
    with pytest.raises(PortError, match="cannot"):
        SystemdUnits().perform("inferagent-test-missing.service", "start")
    with pytest.raises(PortError, match="cannot"):
        SystemdUnits().perform("inferagent-test-missing.service", "stop")


def test_in_a_hold_an_engine_runs_again_after_a_switch_that_failed(door):
    door.hold, door.phase = "away for the weekend", "out"
    units = Units()
    with pytest.raises(PortError, match="no disk"), drained(door, units).around("x", ENGINE):
        raise PortError("no disk")
    assert units.done == ["stop ollama.service", "start ollama.service"]


def test_in_a_hold_an_engine_that_somebody_stopped_stays_down(door):
    door.hold, door.phase, door.engine = "away for the weekend", "out", "stopped"
    units = Units(runs_now=False)
    replaced(drained(door, units), ENGINE, door)
    assert "start ollama.service" not in units.done
