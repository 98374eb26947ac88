import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from tests.contract.units_bench import until

from inferagent.adapters import pids


@pytest.fixture
def start():
    started = []

    def make(*argv, **options):
        started.append(subprocess.Popen(argv, **options))
        return started[-1]

    yield make
    for child in started:
        child.kill()
        child.wait()


def test_a_living_process_is_named_by_pid_and_start(start):
    child = start("sleep", "60")
    who = pids.identify(child.pid)
    assert who is not None
    assert pids.alive(who)
    assert str(who) == f"{child.pid}:{who.start}"


def test_the_same_pid_with_another_start_is_another_process(start):
    child = start("sleep", "60")
    assert not pids.alive(replace(pids.identify(child.pid), start=1))


async def test_a_zombie_is_not_alive(start):
    child = start("sleep", "60")
    who = pids.identify(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: pids.read_stat(child.pid).ended, "the end")
    assert not pids.alive(who)
    child.wait()
    assert pids.read_stat(child.pid) is None
    assert not pids.alive(who)


def test_a_name_with_spaces_and_brackets_does_not_confuse(tmp_path):
    folder = tmp_path / "7"
    folder.mkdir()
    fields = ["S", "1", "7", "7", *["0"] * 15, "4711", "0"]
    (folder / "stat").write_bytes(b"7 (a) S \xff (b)) " + " ".join(fields).encode())
    stat = pids.read_stat(7, tmp_path)
    assert stat == pids.Stat(pids.Identity(7, 4711), False, 7)


async def test_members_are_the_session_and_whoever_carries_the_mark(start):
    code = "import os,subprocess,sys\nsubprocess.Popen(['sleep','60'],stdout=-3)\n"
    code += "subprocess.Popen(['sleep','61'],stdout=-3,start_new_session=True)\n"
    code += "print('up',flush=True)\nsys.stdin.read()"
    environment = os.environ | {pids.MARK: "life-1"}
    leader = start(
        sys.executable,
        "-c",
        code,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )
    assert leader.stdout.readline() == b"up\n"
    family = pids.Family(pids.identify(leader.pid), "life-1")
    assert len(pids.members(family)) == 3
    assert pids.leader_of("life-1") == family.leader
    assert pids.leader_of("life-2") is None
    leader.kill()
    leader.communicate(timeout=5)
    left = pids.members(family)
    assert len(left) == 2
    assert (
        pids.members(pids.Family(replace(family.leader, start=family.leader.start + 10**6), "life-1")) == []
    )
    for who in left:
        pids.tell(who, signal.SIGKILL)
    await until(lambda: pids.members(family) == [], "their end")


def test_a_session_of_a_reused_pid_is_not_the_old_ones(start):
    child = start("sleep", "60", start_new_session=True)
    now = pids.identify(child.pid)
    assert pids.members(pids.Family(replace(now, start=now.start - 1), "")) == []


def test_a_signal_reaches_this_life_only(start):
    child = start("sleep", "60")
    who = pids.identify(child.pid)
    pids.tell(replace(who, start=1), signal.SIGKILL)
    assert child.poll() is None
    pids.tell(who, signal.SIGTERM)
    assert child.wait(5) == -signal.SIGTERM
    pids.tell(who, signal.SIGTERM)
