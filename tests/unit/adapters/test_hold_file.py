import os
from dataclasses import replace

import pytest

from inferagent.adapters.files import with_sum
from inferagent.adapters.hold_file import HoldFile
from inferagent.model.desired import Hold, Until
from inferagent.ports import PortError

HOLD = Hold("2026-01-01T00:00:00+00:00", reason="a", stop_engine=True, last=True, deadline=60.0)

LENT = Hold(
    "2026-01-01T00:00:00+00:00",
    stop_engine=True,
    until=Until("boot-1", 7300.5, "2026-01-01T02:00:00+00:00", 7200.0),
    lend=True,
)


@pytest.fixture
def file(tmp_path):
    return HoldFile(tmp_path / "state", tmp_path / "run")


def test_no_hold_is_none(file):
    assert file.load() is None
    file.save(None)
    assert file.problem == ""


@pytest.mark.parametrize("hold", [HOLD, LENT])
def test_a_hold_lasts_until_it_is_ended(file, tmp_path, hold):
    file.save(hold)
    assert HoldFile(tmp_path / "state", tmp_path / "run").load() == hold
    file.save(None)
    assert file.load() is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"hold": null}',
        b'{"hold": {}}',
        b"[" * 100_000,
        b'{"hold": {"wall": ""}}',
        with_sum(b'{\n "hold": {"wall": "", "deadline": -1}\n}'),
        with_sum(b'{\n "hold": {"wall": "", "deadline": NaN}\n}'),
        with_sum(b'{\n "hold": {"wall": "", "until": {"boot": "b", "at": NaN, "wall": "", "longest": 1}}\n}'),
        with_sum(b'{\n "hold": {"wall": "", "until": {"boot": "b", "at": 1, "wall": "", "longest": -1}}\n}'),
        with_sum(b'{\n "hold": {"wall": "", "until": {"boot": "b", "at": 1}}\n}'),
    ],
)
def test_a_hold_that_cannot_be_understood_is_still_a_hold(file, tmp_path, content):
    file.save(HOLD)
    (tmp_path / "state" / "hold.json").write_bytes(content)
    hold = file.load()
    assert hold is not None
    assert "cannot understand the hold" in hold.reason
    assert file.problem == hold.reason
    file.save(None)
    assert file.load() is None
    assert file.problem == ""


def test_a_hold_that_a_disk_changed_asks_for_no_more_than_to_be_out(file, tmp_path):
    file.save(Hold("2026-01-01T00:00:00+00:00", reason="a"))
    path = tmp_path / "state" / "hold.json"
    path.write_bytes(path.read_bytes().replace(b"false", b"true"))
    hold = file.load()
    assert hold is not None
    assert (hold.stop_engine, hold.last, hold.deadline) == (False, False, None)
    assert "cannot understand the hold" in hold.reason


def test_a_hold_that_cannot_be_read_is_still_a_hold(file, tmp_path):
    (tmp_path / "state" / "hold.json").mkdir(parents=True)
    assert "cannot read the hold" in file.load().reason
    with pytest.raises(PortError, match="cannot end the hold"):
        file.save(None)


def test_where_the_state_folder_takes_nothing_it_lasts_to_the_end_of_the_boot(file, tmp_path):
    (tmp_path / "state").write_text("")  # no folder: nothing can be written into it
    with pytest.raises(PortError, match=r"cannot save the hold in .*hold.json"):
        file.save(HOLD)
    assert (tmp_path / "run" / "hold.json").exists()
    (tmp_path / "state").unlink()
    hold = HoldFile(tmp_path / "state", tmp_path / "run").load()
    assert hold is not None
    assert not hold.durable
    assert hold.reason == "a"
    file.save(HOLD)
    assert not (tmp_path / "run" / "hold.json").exists()
    assert file.load().durable


def test_where_neither_takes_it_both_are_named(file, tmp_path):
    (tmp_path / "state").write_text("")
    (tmp_path / "run").write_text("")
    with pytest.raises(PortError, match=r"cannot save the hold .*; cannot save it in .* either"):
        file.save(HOLD)


def test_ending_a_hold_ends_the_makeshift_too(file, tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(PortError):
        file.save(HOLD)
    (tmp_path / "state").unlink()
    file.save(None)
    assert file.load() is None


def test_a_disk_that_hangs_costs_the_bound_and_the_hold_lasts_to_the_end_of_the_boot(file, tmp_path):
    (tmp_path / "state").mkdir()
    pipe = tmp_path / "state" / ".hold.json.new"
    os.mkfifo(pipe)  # whoever opens it for writing waits for a reader
    with pytest.raises(PortError, match="the disk does not answer"):
        file.save(HOLD)
    hold = HoldFile(tmp_path / "state", tmp_path / "run").load()
    assert hold is not None
    assert (hold.durable, hold.reason) == (False, "a")
    with pytest.raises(PortError, match=r"cannot end the hold.*still has not answered"):
        file.save(None)
    with pipe.open("rb") as reader:
        reader.read()


def test_the_later_word_rules_although_only_the_earlier_is_on_disk(file, tmp_path):
    file.save(HOLD)
    makeshift = HoldFile(tmp_path / "elsewhere", tmp_path / "run")
    (tmp_path / "elsewhere").write_text("")
    with pytest.raises(PortError):
        makeshift.save(replace(HOLD, reason="later"))
    assert (file.load().reason, file.load().durable) == ("later", False)
    (tmp_path / "run" / "hold.json").unlink()  # as the next boot does
    assert (file.load().reason, file.load().durable) == ("a", True)


def test_a_makeshift_hold_that_cannot_be_understood_yields_to_the_one_on_disk(file, tmp_path):
    file.save(HOLD)
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "hold.json").write_text("{")
    assert (file.load().reason, file.load().durable) == ("a", True)
