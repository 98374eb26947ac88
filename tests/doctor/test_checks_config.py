"""Checks of the configuration that the clinic's faults do not show."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.programs.doctor.looks_config import SERVICE_TOKEN, SUDO
from inferagent.programs.doctor.looks_here import STATUS
from inferagent.programs.doctor.sight import Lack
from inferagent.programs.doctor.verdict import CannotTellError


def test_several_errors_are_counted_and_the_first_is_shown(tmp_path):
    found = judged("config.valid", configured(tmp_path, more='\n[drain]\nsettle = 3\nquit = "3s"\n'))
    assert found.verdict == "fail"
    assert "config.toml:" in found.outcome.evidence
    assert "(and 1 more)" in found.outcome.evidence


def test_a_right_one_is_told_in_a_word(tmp_path):
    assert judged("config.valid", configured(tmp_path)).outcome.evidence.endswith(": own-pool, vllm")


@pytest.mark.parametrize(("cure", "verdict"), [(SUDO, "unknown"), ("sudo chmod 600 x", "fail")])
def test_who_may_not_read_a_secret_can_tell_nothing(tmp_path, cure, verdict):
    given = {SERVICE_TOKEN: Lack(CannotTellError("cannot read x: permission denied", cure))}
    assert judged("credentials.service-token", configured(tmp_path), given).verdict == verdict


def status(**changes):
    said = {"mode": "act", "host": "gpu-a", "engine": {"name": "vllm"}, "membership": {"kind": "own-pool"}}
    return {STATUS: {**said, **changes}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "observe"}, 'mode = "act", it runs with "observe"'),
        ({"host": "gpu-b"}, 'host.name = "gpu-a", it runs with "gpu-b"'),
        ({"host": ""}, "host.name"),
        ({"engine": {"name": "ollama"}}, 'engine[0].kind = "vllm"'),
        ({"membership": {"kind": "pull"}}, 'membership.kind = "own-pool", it runs with "pull"'),
    ],
)
def test_an_agent_that_runs_with_something_else_is_to_be_restarted(tmp_path, changes, words):
    found = judged("config.running", configured(tmp_path), status(**changes))
    assert (found.verdict, words in found.outcome.evidence) == ("warn", True)
    assert found.outcome.cure.startswith("sudo systemctl restart inferagent (or end inferagent run")


def test_an_agent_that_runs_with_what_is_written(tmp_path):
    assert judged("config.running", configured(tmp_path), status()).verdict == "ok"
    assert judged("config.running", configured(tmp_path), {STATUS: {"mode": "act"}}).verdict == "ok"
    assert judged("config.running", configured(tmp_path)).verdict == "skipped"
