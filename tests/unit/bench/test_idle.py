import json

import pytest
from tests.bench.idle import PACES, PACKAGES, QUICK, WHOLE, all_of, look, others, paces

from inferagent.lab.processes import Program


class Told:
    """A host as the measurement sees it, with a sleeper for each of its programs."""

    def __init__(self, folder, agent, status):
        self.run, self.config, self.agent, self.said = folder, folder, agent, status
        (folder / "gpu.lock").write_text("12")
        (folder / "ready.json").write_text(json.dumps({"pid": 13}))

    async def status(self):
        return self.said

    async def command(self, *words):
        assert words[:2] == ("config", "show")
        return "\n".join(
            f'probe.{name} = "{place}s"   # defaults.toml:{place}' for place, name in enumerate(PACES)
        )


@pytest.fixture
async def sleeper(tmp_path):
    program = await Program.start(["sleep", "60"], {}, tmp_path / "log")
    yield program
    await program.end()


WELL = {"phase": "serving", "findings": [], "sentence": "serving"}


async def test_the_three_programs_are_found_by_what_they_left(tmp_path, sleeper):
    found = await all_of(Told(tmp_path, sleeper, WELL))
    assert found == {"agent": sleeper.pid, "gpu_probe": 12, "ready_program": 13}


@pytest.mark.parametrize("status", [None, {**WELL, "phase": "out"}, {**WELL, "findings": [{"code": "x"}]}])
async def test_a_host_that_is_not_well_is_not_measured(tmp_path, sleeper, status):
    with pytest.raises(RuntimeError, match="cannot measure an idle host"):
        await all_of(Told(tmp_path, sleeper, status))


async def test_a_sleeper_costs_memory_and_no_cpu(sleeper):
    window = await look({"sleeper": sleeper.pid}, 0.1)
    assert window.cpu["sleeper"] < 50
    assert 0 < window.pss["sleeper"] < 10


async def test_packages_cost_more_than_none():
    found = await others()
    assert 0 < found["bare_python_mib"] < found["python_with_the_packages_mib"]
    assert PACKAGES[-1] == "pynvml"


async def test_paces_are_those_of_the_configuration(tmp_path):
    found = await paces(Told(tmp_path, None, None))
    assert found == {"pace_look": "0s", "pace_host": "1s", "pace_gpus": "2s", "pace_membership": "3s"}


def test_a_whole_run_measures_a_minute_and_more():
    assert WHOLE.window >= 60
    assert QUICK.window == 20
