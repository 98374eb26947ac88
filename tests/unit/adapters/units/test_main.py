import os
import signal
from dataclasses import replace

import pytest
from tests.contract.units_bench import until

from inferagent.adapters import pids, process
from inferagent.adapters.units.main import attach, describe


@pytest.fixture
def life():
    pid = process.spawn(["sleep", "60"])
    family = pids.Family(pids.identify(pid), "")
    yield family
    pids.tell(family.leader, signal.SIGKILL)


async def test_the_end_is_told_once_with_its_code(life):
    codes = []
    main = attach(life, codes.append)
    assert main is not None
    assert not await main.gone(0.01)
    main.tell(signal.SIGTERM)
    assert await main.gone(5)
    await until(lambda: codes == [-15], "its code")
    main.tell(signal.SIGKILL)  # nobody: no error, and nobody else
    assert await main.gone(0)


async def test_a_life_that_is_over_or_anothers_is_not_attached(life):
    assert attach(replace(life, leader=replace(life.leader, start=1)), print) is None
    os.kill(life.leader.pid, signal.SIGKILL)
    codes = []
    await until(lambda: codes.append(process.reap(life.leader.pid)) or codes[-1] is not None, "the end")
    assert attach(life, print) is None


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit code 0"), (-9, "killed by signal 9"), (None, "ended, exit code unknown")]
)
def test_the_end_in_words(code, words):
    assert describe(code) == words
