"""The record on disk: readable after a crash at any byte."""

import json
import os
import stat
from pathlib import Path

import pytest

from inferagent.ports import PortError
from inferagent.programs.setup.record import NAME, Record, made_pool, make_folders, remove_folders


def filled(state: Path) -> Record:
    record = Record(state)
    record.open({"host": "gpu-a"})
    first = record.begin("tunnel", {"kind": "tunnel", "made": True})
    record.done(first, {"id": "t"})
    record.begin("pool", {"kind": "pool", "made": True})
    return record


def test_what_is_begun_and_what_is_done(tmp_path: Path) -> None:
    first, second = filled(tmp_path / "s").entries()
    assert (first.step, first.result, first.undone) == ("tunnel", {"id": "t"}, False)
    assert (second.step, second.result) == ("pool", {})


def test_a_second_run_goes_on_and_keeps_the_first_header(tmp_path: Path) -> None:
    filled(tmp_path / "s")
    record = Record(tmp_path / "s")
    record.open({"host": "another"})
    assert record.header()["host"] == "gpu-a"
    assert record.begin("balancer", {"kind": "load balancer"}) == 2
    assert [entry.number for entry in record.entries()] == [0, 1, 2]


def test_every_torn_end_can_be_read(tmp_path: Path) -> None:
    record = filled(tmp_path / "s")
    whole = record.path.read_bytes()
    for length in range(len(whole)):
        record.path.write_bytes(whole[:length])
        assert len(record.entries()) <= 2
    record.path.write_bytes(whole[:-4])
    again = Record(tmp_path / "s")
    again.open({})
    again.begin("pool", {"kind": "pool"})
    assert [entry.step for entry in again.entries()] == ["tunnel", "pool"]


def test_undone_steps_are_remembered(tmp_path: Path) -> None:
    record = filled(tmp_path / "s")
    assert made_pool(tmp_path / "s")
    record.undone(1)
    assert [entry.undone for entry in record.entries()] == [False, True]
    assert not made_pool(tmp_path / "s")


def test_it_goes_with_the_folders_that_it_made(tmp_path: Path) -> None:
    record = filled(tmp_path / "var" / "lib")
    assert stat.S_IMODE(record.path.stat().st_mode) == 0o640
    assert json.loads(record.path.read_text().splitlines()[1])["folders"] == [
        str(tmp_path / "var"),
        str(tmp_path / "var" / "lib"),
    ]
    record.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_stays(tmp_path: Path) -> None:
    record = filled(tmp_path / "s")
    (tmp_path / "s" / "state.json").write_text("{}")
    record.remove()
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["state.json"]


def test_no_record_is_empty(tmp_path: Path) -> None:
    record = Record(tmp_path / "none")
    assert (record.entries(), record.header()) == ([], {})
    assert not made_pool(tmp_path / "none")


def test_a_record_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Record(tmp_path / "file" / "s").open({})


def test_folders_are_made_and_removed_innermost_first(tmp_path: Path) -> None:
    made = make_folders(tmp_path / "a" / "b", 0o700)
    assert made == [tmp_path / "a", tmp_path / "a" / "b"]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert make_folders(tmp_path / "a" / "b") == []
    remove_folders([str(path) for path in made])
    assert not (tmp_path / "a").exists()


def test_a_file_that_was_begun_on_a_full_disk_gets_its_header_later(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.path.write_text('\n{"host": "gpu')
    assert record.header() == {}
    record.open({"host": "gpu-a"})
    record.begin("tunnel", {"kind": "tunnel"})
    assert record.header()["host"] == "gpu-a"
    assert [entry.step for entry in record.entries()] == ["tunnel"]


def test_only_the_innermost_folder_is_shut(tmp_path: Path) -> None:
    made = make_folders(tmp_path / "etc" / "credentials", 0o700)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in made] == [0o755, 0o700]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_record_that_cannot_be_read_is_said_to_the_agent(tmp_path: Path, content: bytes | None) -> None:
    path = Record(tmp_path).path
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(PortError, match="cannot read the undo record"):
        made_pool(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_agents_user_may_read_what_root_writes(tmp_path: Path) -> None:
    state = tmp_path / "s"
    state.mkdir()
    os.chown(state, 12345, 12345)
    record = filled(state)
    assert (record.path.stat().st_uid, record.path.stat().st_gid) == (0, 12345)
    assert stat.S_IMODE(record.path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_the_agents_user_wrote_root_neither_does_nor_goes_on_with(tmp_path: Path) -> None:
    record = filled(tmp_path / "s")
    os.chown(record.path, 12345, 12345)
    with pytest.raises(PortError, match="not root's → read it, then: sudo chown root"):
        record.trust()
    with pytest.raises(PortError, match="not root's"):
        record.open({})


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    state, other = tmp_path / "s", tmp_path / "other"
    state.mkdir()
    other.write_text("mine")
    (state / NAME).symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        Record(state).begin("x", {})
    assert other.read_text() == "mine"
