"""Checks of the host and the agent, on states that the clinic does not show."""

from pathlib import Path

import pytest
from tests.support.doctoring import configured, judged

from inferagent.programs.doctor.looks_here import READY, STATUS, Ready
from inferagent.programs.doctor.looks_host import AGENT_UNITS, SKEW, SPACE, UNITS, UPDATER, VM, Space, verbs
from inferagent.programs.doctor.sight import Lack
from inferagent.programs.doctor.verdict import CannotTellError

GB = 1 << 30
WELL = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "Restart": "always"}


@pytest.mark.parametrize(
    ("skew", "verdict", "words"),
    [
        (0.4, "ok", ""),
        (-20.0, "warn", "20 s behind"),
        (90.0, "fail", "90 s ahead"),
        (-4000.0, "fail", "behind"),
    ],
)
def test_clocks(tmp_path, skew, verdict, words):
    result = judged("host.clock", configured(tmp_path), {SKEW: skew})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


@pytest.mark.parametrize(
    ("free", "verdict", "words"),
    [(50 * GB, "ok", "50 GB"), (GB, "warn", "1.0 GB free for the models"), (0, "fail", "0.0 GB free")],
)
def test_disks(tmp_path, free, verdict, words):
    spaces = (
        Space("the state", Path("/a"), 60 * GB, 99 * GB),
        Space("the models", Path("/m"), free, 99 * GB),
    )
    result = judged("host.disk", configured(tmp_path), {SPACE: spaces})
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


@pytest.mark.parametrize(
    ("unit", "state", "verdict", "cure"),
    [
        (None, {}, "ok", ""),
        (AGENT_UNITS[0], {"LoadState": "masked"}, "fail", "unmask"),
        (AGENT_UNITS[0], {"ActiveState": "failed"}, "fail", "start"),
        (AGENT_UNITS[0], {"UnitFileState": ""}, "fail", "enable --now"),
        (AGENT_UNITS[1], {"LoadState": "masked"}, "fail", "unmask"),
        (AGENT_UNITS[1], {"LoadState": "not-found"}, "ok", ""),
    ],
)
def test_the_agents_units(tmp_path, unit, state, verdict, cure):
    units = {name: {**WELL, **(state if name == unit else {})} for name in (*AGENT_UNITS, UPDATER)}
    result = judged("host.units", configured(tmp_path), {UNITS: units})
    assert (result.verdict, cure in result.outcome.cure) == (verdict, True)


@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        ({}, "ok", "e.service"),
        ({"LoadState": "not-found"}, "fail", "not-found"),
        ({"UnitFileState": "disabled"}, "warn", "at boot"),
        ({"Restart": "on-failure"}, "warn", "code 0"),
    ],
)
def test_the_units_of_its_parts(tmp_path, state, verdict, words):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace('command = ["vllm", "serve"]', 'unit = "e.service"'))
    doors = dict.fromkeys(verbs("engine"), WELL)
    given = {UNITS: {"e.service": {**WELL, **state}, UPDATER: {"UnitFileState": "disabled"}, **doors}}
    result = judged("host.parts", direction, given)
    assert (result.verdict, words in result.outcome.evidence) == (verdict, True)


def test_the_doors_by_which_the_agent_acts(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace('command = ["vllm", "serve"]', 'unit = "e.service"'))
    doors = dict.fromkeys(verbs("engine")[:2], WELL)
    result = judged("host.parts", direction, {UNITS: {"e.service": WELL, UPDATER: {}, **doors}})
    assert (result.verdict, "cannot restart the engine" in result.outcome.evidence) == ("fail", True)
    assert result.outcome.cure.endswith("inferagent-verb-engine-restart.socket")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, "ok"),
        ({"scheduling/preemptible": "TRUE"}, "warn"),
        ({"scheduling/preemptible": "TRUE", "attributes/created-by": "p/1/instanceGroupManagers/g"}, "ok"),
        ({"scheduling/automatic-restart": "FALSE"}, "warn"),
    ],
)
def test_who_brings_a_vm_back(tmp_path, said, verdict):
    assert judged("host.spot", configured(tmp_path), {VM: said}).verdict == verdict


@pytest.mark.parametrize(("tags", "verdict"), [("[]", "ok"), ('["https-server"]', "warn"), ("", "ok")])
def test_open_doors(tmp_path, tags, verdict):
    assert judged("host.doors", configured(tmp_path), {VM: {"tags": tags}}).verdict == verdict


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({"exit_code": 0, "sentence": "serving"}, "ok"),
        ({"exit_code": 1, "sentence": "joining"}, "warn"),
        ({"exit_code": 3, "sentence": "looking"}, "ok"),
        ({"exit_code": 4, "sentence": "out", "cure": "inferagent resume"}, "fail"),
    ],
)
def test_what_the_agent_says(tmp_path, status, verdict):
    result = judged("agent.status", configured(tmp_path), {STATUS: status})
    assert (result.verdict, result.outcome.evidence.endswith(status["sentence"])) == (verdict, True)
    assert status.get("cure", "") in result.outcome.cure


@pytest.mark.parametrize(
    ("ready", "verdict"), [(Ready(503, {"ready": False}), "ok"), (Ready(200, {}), "fail")]
)
def test_who_answers_at_the_ready_port(tmp_path, ready, verdict):
    assert judged("ready.here", configured(tmp_path), {READY: ready}).verdict == verdict


def test_a_socket_that_is_shut_to_this_user_tells_nothing(tmp_path):
    given = {STATUS: Lack(CannotTellError("cannot reach the agent at x: permission denied"))}
    result = judged("agent.answers", configured(tmp_path), given)
    assert (result.verdict, result.outcome.cure) == ("unknown", "sudo inferagent doctor")


def test_an_agent_that_is_not_there(tmp_path):
    result = judged("agent.answers", configured(tmp_path))
    assert (result.verdict, "systemctl start" in result.outcome.cure) == ("fail", True)
