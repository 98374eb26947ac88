import json
import os
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from inferagent.adapters.files import with_sum
from inferagent.adapters.saved_state import StateFolder, decode, encode
from inferagent.model.desired import Hold
from inferagent.model.health import Cause, CauseKind
from inferagent.model.phase import Phase
from inferagent.model.saved import Drain, Fault, Memory, Saved, Write
from inferagent.ports import PortError

FULL = Saved(
    boot="boot-1",
    adopted=True,
    phase=Phase.DRAINING,
    since=12.5,
    cause=Cause(CauseKind.CERTAIN, "engine-gone", "the engine's process is gone", 12.0),
    drain=Drain(12.5, 132.5, proven_at=13.0, proof="api"),
    incarnation="12:34",
    proof_floor=12.0,
    restarts=(1.0, 2.0),
    faults=(Fault("boot-1", "GPU-0", "lost", "is lost", 3.0),),
    baseline=True,
    last_write=Write(False, 12.5, answered=True),
)


# as a state that does not know what was written since
OLDER = replace(FULL, baseline=None, last_write=None, adopted=False, unanswered_at=FULL.since)


@pytest.fixture
def folder(tmp_path):
    return StateFolder(tmp_path / "state", tmp_path / "run")


def again(tmp_path):
    return StateFolder(tmp_path / "state", tmp_path / "run")


def test_nothing_saved_is_none_and_no_problem(folder):
    assert folder.load() is None
    assert folder.problem == ""


@pytest.mark.parametrize("saved", [Saved(), FULL])
def test_what_was_saved_comes_back_without_the_memory(folder, tmp_path, saved):
    folder.save(replace(saved, memory=Memory(generation_bad=3)))
    assert again(tmp_path).load() == saved
    assert "generation_bad" not in (tmp_path / "state" / "state.json").read_text()


def test_infinities_are_plain_json(folder, tmp_path):
    saved = replace(FULL, proof_floor=float("-inf"), hold_off_until=float("inf"))
    folder.save(saved)
    text = (tmp_path / "state" / "state.json").read_text()
    assert json.loads(text)["proof_floor"] == "-Infinity"
    assert decode(text.encode()) == saved


def test_the_generation_before_is_kept(folder, tmp_path):
    for since in (1.0, 2.0, 3.0):
        folder.save(replace(FULL, since=since))
    assert decode((tmp_path / "state" / "state.previous.json").read_bytes()).since == 2.0


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"5", b"[" * 100_000, b'{"a":1}']
)
def test_a_torn_file_falls_back_to_the_generation_before_and_says_so(folder, tmp_path, content):
    folder.save(replace(FULL, since=1.0))
    folder.save(replace(FULL, since=2.0))
    (tmp_path / "state" / "state.json").write_bytes(content)
    fresh = again(tmp_path)
    assert fresh.load() == replace(OLDER, since=1.0, unanswered_at=1.0)
    assert "cannot use" in fresh.problem
    assert (tmp_path / "state" / "state.damaged.json").read_bytes() == content
    fresh.save(replace(FULL, since=3.0))
    assert again(tmp_path).load().since == 3.0


def test_every_cut_and_many_flips_never_crash(folder, tmp_path):
    whole = encode(FULL)
    for cut in range(0, len(whole), 7):
        with pytest.raises(ValueError, match="not whole"):
            decode(whole[:cut])
    for place in range(0, len(whole), 3):
        with suppress(ValueError):
            assert decode(whole[:place] + b"7" + whole[place + 1 :]).schema == 1


def test_wrong_types_and_values_are_said_by_field(folder, tmp_path):
    broken = json.loads(encode(FULL)) | {"phase": "flying"}
    with pytest.raises(ValueError, match="phase"):
        decode(json.dumps(broken).encode())


def test_both_torn_is_none_with_the_reason(folder, tmp_path):
    folder.save(replace(FULL, faults=()))
    for name in ("state.json", "state.previous.json"):
        (tmp_path / "state" / name).write_bytes(b"{")
    assert folder.load() is None
    assert folder.problem.count("cannot use") == 2


def test_a_newer_schema_is_kept_aside_and_never_overwritten(folder, tmp_path):
    folder.save(replace(FULL, faults=()))
    newer = json.dumps({"schema": 7, "something": "else"}).encode()
    (tmp_path / "state" / "state.json").write_bytes(newer)
    fresh = again(tmp_path)
    assert fresh.load() is None
    assert "newer" in fresh.problem
    fresh.save(FULL)
    assert (tmp_path / "state" / "state.schema7.json").read_bytes() == newer


def test_a_newer_schema_is_kept_even_when_nothing_was_loaded(folder, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.json").write_bytes(b'{"schema": 7}')
    folder.save(FULL)
    assert (tmp_path / "state" / "state.schema7.json").read_bytes() == b'{"schema": 7}'


def test_fields_that_we_do_not_know_do_no_harm():
    later = json.dumps(written(FULL) | {"later": 1}, indent=1)
    assert decode(with_sum(later.encode())) == FULL


def written(saved):
    """The content without its sum."""
    return {key: value for key, value in json.loads(encode(saved)).items() if key != "sum"}


@pytest.mark.parametrize(
    ("before", "after"), [(b"132.5", b"932.5"), (b"draining", b"serving"), (b"\n ", b"\n")]
)
def test_what_a_disk_changed_is_not_believed(before, after):
    changed = encode(FULL).replace(before, after, 1)
    with pytest.raises(ValueError, match="its sum is wrong"):
        decode(changed)


@pytest.mark.parametrize("field", [{"since": float("nan")}, {"restarts": [float("nan")]}, {"gpu_count": -1}])
def test_numbers_that_no_agent_writes_are_refused(field):
    impossible = with_sum(json.dumps(written(FULL) | field, indent=1).encode())
    with pytest.raises(ValueError, match="no such number"):
        decode(impossible)


def test_a_failed_save_names_the_file_and_the_old_state_stays(folder, tmp_path):
    folder.save(FULL)
    blocker = tmp_path / "state" / ".state.json.new"
    blocker.mkdir()
    with pytest.raises(PortError, match=r"cannot save the state in .*state.json: Is a directory"):
        folder.save(replace(FULL, since=9.0))
    assert again(tmp_path).load() == OLDER
    blocker.rmdir()
    folder.save(replace(FULL, since=9.0))
    assert again(tmp_path).load() == replace(FULL, since=9.0)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(PortError, match="cannot save the state"):
        StateFolder(tmp_path / "state", tmp_path / "run").save(FULL)


def test_a_file_that_cannot_be_read_is_a_problem_not_a_crash(folder, tmp_path):
    (tmp_path / "state" / "state.json").mkdir(parents=True)
    assert folder.load() is None
    assert "cannot read" in folder.problem


def test_the_same_state_is_not_written_twice(folder, tmp_path):
    folder.save(FULL)
    first = (tmp_path / "state" / "state.json").stat().st_ino
    folder.save(replace(FULL, memory=Memory(generation_bad=3)))
    assert (tmp_path / "state" / "state.json").stat().st_ino == first


def test_the_hold_goes_through_the_same_port(folder, tmp_path):
    hold = Hold("2026-01-01T00:00:00+00:00", reason="driver update")
    folder.save_hold(hold)
    assert again(tmp_path).load_hold() == hold
    (tmp_path / "state" / "hold.json").write_text("{")
    assert folder.load_hold() is not None
    assert "hold" in folder.problem


def lose(tmp_path, *names):
    for name in names:
        (tmp_path / "state" / name).unlink()


def test_a_lost_state_leaves_the_faults_of_this_boot(folder, tmp_path):
    folder.save(FULL)
    lose(tmp_path, "state.json")
    assert again(tmp_path).load() == Saved(boot="boot-1", faults=FULL.faults)


def test_an_older_state_has_the_faults_that_came_later(folder, tmp_path):
    folder.save(replace(FULL, faults=()))
    folder.save(FULL)
    lose(tmp_path, "state.json")
    assert again(tmp_path).load() == OLDER


def test_a_full_disk_keeps_a_new_fault_all_the_same(folder, tmp_path):
    folder.save(replace(FULL, faults=()))
    (tmp_path / "state" / ".state.json.new").mkdir()
    with pytest.raises(PortError):
        folder.save(FULL)
    assert again(tmp_path).load() == OLDER


def test_a_full_runtime_folder_disturbs_nothing(folder, tmp_path):
    (tmp_path / "run").write_text("no folder")
    folder.save(FULL)
    assert (folder.problem, again(tmp_path).load()) == ("", FULL)


def test_a_disk_that_hangs_costs_the_bound_and_then_nothing(folder, tmp_path):
    """A named pipe that nobody reads: whoever opens it for writing waits for ever."""
    folder.save(FULL)
    pipe = tmp_path / "state" / ".state.json.new"
    os.mkfifo(pipe)
    begun = time.monotonic()
    with pytest.raises(PortError, match=r"cannot save the state in .*the disk does not answer"):
        folder.save(replace(FULL, since=2.0))
    with pytest.raises(PortError, match="still has not answered"):
        folder.save(replace(FULL, since=3.0))
    assert time.monotonic() - begun < 5
    assert again(tmp_path).load() == FULL
    with pipe.open("rb") as reader:  # the disk is back
        reader.read()
    deadline = time.monotonic() + 5
    while again(tmp_path).load().since != 4.0 and time.monotonic() < deadline:
        with suppress(PortError):
            folder.save(replace(FULL, since=4.0))
    assert again(tmp_path).load().since == 4.0
