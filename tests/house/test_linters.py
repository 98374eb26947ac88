"""The linters are test cases: what they print names file and line."""

import configparser
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BESIDE = Path(sys.executable).parent

LINTERS = {
    "ruff check": [sys.executable, "-m", "ruff", "check", "--output-format=concise", "agent", "tests"],
    "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "agent", "tests"],
    "mypy": [sys.executable, "-m", "mypy"],
    "lint-imports": [str(BESIDE / "lint-imports")],
}


@pytest.mark.parametrize("name", list(LINTERS))
def test_the_linter_finds_nothing(name):
    found = subprocess.run(LINTERS[name], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_stand_in_of_the_lab_is_under_contract():
    """The demo drives the programs; everything else in the lab must not know the agent."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    listed = contracts["importlinter:contract:stand-ins"]["source_modules"].split()
    lab = ROOT / "agent" / "inferagent" / "lab"
    modules = {path.stem for path in lab.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {f"inferagent.lab.{name}" for name in modules - {"__init__", "demo"}} == set(listed)
