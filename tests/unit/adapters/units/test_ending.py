import os
import signal
import subprocess
import threading
import time

import pytest
from tests.contract.units_bench import running, until

from inferagent.adapters import pids
from inferagent.adapters.engine.aside import Aside
from inferagent.adapters.units.ending import end_all, kill, survivors
from inferagent.ports import PortError


@pytest.fixture
def family():
    """A session that is started from a script, and ended whatever the test did."""
    made = []

    def start(script):
        child = subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True, stdout=subprocess.PIPE)
        child.stdout.readline()
        made.append(child)
        return pids.Family(pids.identify(child.pid), "")

    yield start
    for child in made:
        kill(pids.members(pids.Family(pids.Identity(child.pid, 0), "")))
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()


async def test_the_polite_end_at_sigterm(family):
    counts = []
    begun = time.monotonic()
    assert await end_all([family("sleep 60 & echo up; exec sleep 61")], 5.0, 5.0, counts.append, Aside("x"))
    assert time.monotonic() - begun < 4.5
    assert (counts[0], counts[-1]) == (2, 0)


async def test_a_stopped_process_hears_sigterm_too(family):
    life = family("echo up; exec sleep 61")
    os.kill(life.leader.pid, signal.SIGSTOP)
    begun = time.monotonic()
    assert await end_all([life], 5.0, 5.0, lambda _: None, Aside("x"))
    assert time.monotonic() - begun < 4.5


async def test_the_deaf_are_killed_after_the_bound(family):
    life = family("trap '' TERM; echo up; while :; do sleep 0.05; done")
    begun = time.monotonic()
    assert await end_all([life], 0.2, 5.0, lambda _: None, Aside("x"))
    assert 0.2 <= time.monotonic() - begun < 3
    assert survivors([life]) == []


async def test_what_survives_is_told(family):
    life = family("trap '' TERM; echo up; while :; do sleep 0.05; done")
    counts = []
    assert not await end_all([life], 0.2, -0.1, counts.append, Aside("x"))  # no time for SIGKILL at all
    assert counts[-1] >= 1
    kill(survivors([life]))
    await until(lambda: not running(life.leader.pid), "the end")


async def test_nothing_to_end_is_done_at_once():
    assert await end_all([], 5.0, 5.0, lambda _: None, Aside("x"))


async def test_a_list_of_processes_that_never_comes_ends_with_an_error():
    """A process that is stuck in the kernel can hang whoever reads about it."""
    stuck, aside = threading.Event(), Aside("x")
    with pytest.raises(PortError):
        await aside.read(stuck.wait, 0.05)
    with pytest.raises(PortError, match="still hangs"):
        await end_all([], 5.0, 5.0, lambda _: None, aside)
    stuck.set()
