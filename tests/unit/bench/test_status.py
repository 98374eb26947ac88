"""Commands are timed in turn, after a round that warms them, and one that fails is no figure."""

import sys

import pytest
from tests.bench.status import in_turn, warm

QUICK, SLOW = [sys.executable, "-c", "pass"], [sys.executable, "-c", "import time; time.sleep(0.2)"]


async def test_each_command_is_timed_as_often_as_asked(tmp_path):
    taken = await in_turn({"quick": QUICK, "slow": SLOW}, 2, warm(tmp_path))
    assert [len(samples) for samples in taken.values()] == [2, 2]
    assert all(took >= 200 for took in taken["slow"])


async def test_a_command_that_fails_is_no_figure(tmp_path):
    with pytest.raises(RuntimeError, match="ended with 3: no agent"):
        await in_turn({"x": [sys.executable, "-c", "print('no agent', end=''); exit(3)"]}, 1, warm(tmp_path))


def test_bytecode_is_kept_whatever_the_environment_says(tmp_path):
    environment = warm(tmp_path)
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["PYTHONPYCACHEPREFIX"] == str(tmp_path)
