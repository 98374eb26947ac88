"""A process tree, and what its members use."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from inferagent.adapters.engine.processes import port_argument, tree, usage, usages

PARENT = """
import subprocess, sys
pipe = subprocess.PIPE
child = subprocess.Popen([sys.executable, "-S", "-c", "input(1)"], stdin=pipe, stdout=pipe)
child.stdout.read(1)  # until then it may still be a copy of its parent that has not begun its program
print(child.pid, flush=True)
input()
child.communicate(b"\\n")
"""


@pytest.fixture
def family() -> Iterator[tuple[int, int]]:
    """A parent and its child."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-S", "-c", PARENT], stdin=pipe, stdout=pipe) as parent:
        yield parent.pid, int(parent.stdout.readline())
        parent.communicate(b"\n")


def test_a_tree_begins_with_its_root(family):
    parent, child = family
    assert tree(parent) == (parent, child)
    assert child in tree(os.getpid())


def test_nobody_has_no_tree():
    assert tree(0) == ()
    assert tree(2**22 + 1) == ()


def test_what_a_process_uses(family):
    one = usage(family[1])
    assert one is not None
    assert one.memory_bytes > 1_000_000
    assert one.read_bytes > 0


def test_work_shows_as_cpu_seconds():
    before = usage(os.getpid())
    until = time.process_time() + 0.05
    while time.process_time() < until:
        sum(range(1000))
    after = usage(os.getpid())
    assert before is not None
    assert after is not None
    assert after.cpu_seconds - before.cpu_seconds >= 0.03  # told in hundredths
    assert after.started == before.started


def test_a_zombie_and_a_ghost_use_nothing():
    dead = subprocess.Popen([sys.executable, "-S", "-c", ""])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    assert usage(dead.pid) is None
    dead.wait()
    assert usages((dead.pid, os.getpid()))[0].pid == os.getpid()


@pytest.mark.parametrize(
    ("arguments", "port"), [(["--port", "4711"], 4711), (["--port", "x"], 0), (["--port"], 0), (["9"], 0)]
)
def test_the_port_that_a_process_was_told(arguments, port):
    command = [sys.executable, "-S", "-c", "print(1, flush=True); input()", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        one.stdout.readline()
        assert port_argument(one.pid) == port
        one.communicate(b"\n")
    assert port_argument(one.pid) == 0
