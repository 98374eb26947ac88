"""A mount namespace shows one agent other files, and nobody else."""

import asyncio
import subprocess

import pytest
from tests.matrix import cage
from tests.matrix.fault import CannotHereError

from inferagent.lab.processes import Program

rooted = pytest.mark.skipif(bool(cage.lacking()), reason=f"mounts cannot be tried here: {cage.lacking()}")


@pytest.fixture
async def caged(tmp_path):
    """Starts a program in a cage, once its deeds are done."""
    started = []

    async def start(*deeds):
        words = [*cage.agent_prefix(*deeds), "sh", "-c", "echo begun; exec sleep 60"]
        log = tmp_path / f"{len(started)}.log"
        program = await Program.start(words, {}, log)
        started.append(program)
        async with asyncio.timeout(10):
            while "begun" not in log.read_text():
                assert program.exit_code is None, log.read_text()
                await asyncio.sleep(0.01)
        return program.pid

    yield start
    for program in started:
        await program.end()


@rooted
async def test_a_small_disk_keeps_what_was_there_and_takes_no_more_than_it_has(tmp_path, caged):
    state = tmp_path / "state"
    state.mkdir()
    (state / "kept").write_text("kept")
    pid = await caged(cage.small_disk(state, "256k"))
    seen = cage.inside(pid, state)
    assert (seen / "kept").read_text() == "kept"
    filler = cage.fill(seen)
    assert 0 < filler.stat().st_size <= 256 * 1024
    with pytest.raises(OSError, match="No space left"):
        (seen / "more").write_bytes(b"x" * 8192)
    filler.unlink()
    assert (seen / "more").write_bytes(b"x" * 8192)
    assert [path.name for path in state.iterdir()] == ["kept"], "outside nothing was seen of it"


@rooted
async def test_a_mount_of_its_own_can_be_made_read_only_for_it_alone(tmp_path, caged):
    state = tmp_path / "state"
    pid = await caged(cage.own_mount(state))
    await cage.enter(pid, "mount", "-o", "remount,bind,ro", str(state))
    with pytest.raises(OSError, match="Read-only file system"):
        (cage.inside(pid, state) / "file").write_text("x")
    assert (state / "file").write_text("x")
    with pytest.raises(OSError, match="cannot do mount"):
        await cage.enter(pid, "mount", "-o", "remount,bind,ro", str(tmp_path / "nothing"))


@rooted
async def test_another_file_stands_in_for_one_that_all_others_see(tmp_path, caged):
    real, other = tmp_path / "id", tmp_path / "other"
    real.write_text("real")
    other.write_text("other")
    pid = await caged(cage.in_place_of(real, other))
    assert cage.inside(pid, real).read_text() == "other"
    assert real.read_text() == "real"


@rooted
def test_the_agent_gets_its_words_as_they_are():
    words = [*cage.agent_prefix("true"), "printf", "%s.", "a b", '"c"']
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == 'a b."c".'


def test_a_machine_without_mounts_says_so():
    if cage.lacking():
        with pytest.raises(CannotHereError, match=r"no |not root"):
            cage.agent_prefix("true")
    else:
        assert cage.agent_prefix("true")[0] == "unshare"
