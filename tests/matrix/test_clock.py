"""A wall clock of its own jumps in a program that runs, and no other clock does."""

import subprocess
import sys

import pytest
from tests.matrix.clock import WallClock
from tests.matrix.fault import CannotHereError

ASKS = """
import sys, time
from datetime import datetime
for _ in sys.stdin:
    boot = time.clock_gettime(time.CLOCK_BOOTTIME)
    print(int(time.time()), int(datetime.now().timestamp()), int(boot), flush=True)
"""


@pytest.fixture
def clock(tmp_path):
    try:
        return WallClock(tmp_path)
    except CannotHereError as lack:
        pytest.skip(str(lack))


def test_it_jumps_in_a_program_that_runs(clock):
    argv = [sys.executable, "-c", ASKS]
    program = subprocess.Popen(argv, stdin=-1, stdout=-1, text=True, env=clock.environment)

    def ask():
        program.stdin.write("?\n")
        program.stdin.flush()
        return [int(word) for word in program.stdout.readline().split()]

    try:
        before = ask()
        clock.jump(100_000)
        ahead = ask()
        clock.jump(-100_000)
        behind = ask()
    finally:
        program.communicate()
    for which in (0, 1):
        assert 100_000 <= ahead[which] - before[which] < 100_060
        assert -100_000 <= behind[which] - before[which] < -99_940
    assert 0 <= behind[2] - before[2] < 60
