"""Checks of the configuration that the clinic's faults do not show."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.programs.doctor.looks_config import SERVICE_TOKEN, SUDO
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
