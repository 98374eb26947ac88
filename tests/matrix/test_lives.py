"""An engine's processes of an earlier life are found when the next one begins."""

import sys

from tests.matrix.lives import Families
from tests.support.scenario import until

from inferagent.lab.processes import Program, below, kill

CHILD = "import time; time.sleep(99)"
TREE = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{CHILD}']); time.sleep(99)"


async def started(tmp_path):
    program = await Program.start([sys.executable, "-c", TREE], {}, tmp_path / "log")

    async def grown() -> bool:
        return bool(below(program.pid))

    await until(grown, "the child", 20)
    return program


async def test_a_child_that_outlives_its_engine_is_named(tmp_path):
    first, families = await started(tmp_path), Families()
    assert families.seen(first.pid) == []
    (child,) = below(first.pid)
    kill(first.pid)
    await first.ended(10)
    assert families.seen(0) == []
    second = await started(tmp_path)
    try:
        (left,) = families.seen(second.pid)
        assert f"({child.pid}) outlived its engine" in left
        assert families.seen(second.pid) == []
    finally:
        await first.end()
        await second.end()


async def test_nothing_is_said_of_one_that_ended_whole(tmp_path):
    first, families = await started(tmp_path), Families()
    families.seen(first.pid)
    await first.end()
    second = await started(tmp_path)
    try:
        assert families.seen(second.pid) == []
    finally:
        await second.end()
