"""The alert rules: every alert has its test, speaks of metrics that there are, and names its cure."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.golden.files import STATES

from inferagent.runtime.board import Board
from inferagent.runtime.metrics import Metrics

FOLDER = Path(__file__).parents[2] / "packaging" / "prometheus"
RULES, TESTS = FOLDER / "inferagent.rules.yml", FOLDER / "inferagent.rules.test.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")


def alerts(text):
    return set(re.findall(r"alert: (\w+)", text))


@needs_promtool
def test_promtool_finds_the_rules_right():
    done = subprocess.run([PROMTOOL, "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_rules_pass_their_tests():
    done = subprocess.run(
        [PROMTOOL, "test", "rules", TESTS.name], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test_in_which_it_fires():
    fires = re.findall(r"alertname: (\w+)\n\s+exp_alerts:", TESTS.read_text())
    assert set(fires) == alerts(RULES.read_text())


def test_every_alert_says_what_to_do():
    blocks = RULES.read_text().split("- alert: ")[1:]
    assert all("summary: " in block and "cure: " in block and "severity: " in block for block in blocks)


def test_every_metric_of_the_rules_is_told_in_some_state():
    known = ""
    for state in STATES.values():
        known += Metrics(state.document, lambda: 0, Board(lambda: None)).text()
    told = set(re.findall(r"^(inferagent_\w+)", known, re.MULTILINE))
    assert set(re.findall(r"inferagent_\w+", RULES.read_text())) <= told


def test_every_label_value_of_the_rules_exists():
    documents = [state.document() for state in STATES.values()]
    codes = {finding.code for document in documents for finding in document.findings}
    wanted = set(re.findall(r'inferagent_finding\{code="([a-z-]+)"', RULES.read_text()))
    assert wanted <= codes
    labels = set(re.findall(r'inferagent_label\{label="([a-z-]+)"', RULES.read_text()))
    assert labels <= {document.label for document in documents}
