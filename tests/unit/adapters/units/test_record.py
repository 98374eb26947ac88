import pytest

from inferagent.adapters.pids import Family, Identity
from inferagent.adapters.units import record
from inferagent.ports import PortError

FULL = record.Record(
    "boot-1",
    True,
    "mark",
    Family(Identity(1, 2), "mark"),
    3.0,
    (Family(Identity(4, 5), "old"),),
    (3.0,),
    (6.0,),
    "exit code 0",
    True,
)


def test_it_comes_back_as_it_was(tmp_path):
    path = tmp_path / "units" / "engine.json"
    record.save(path, FULL)
    assert record.load(path, "boot-1") == FULL


def test_another_boots_is_empty(tmp_path):
    record.save(tmp_path / "a", FULL)
    assert record.load(tmp_path / "a", "boot-2") == record.Record("boot-2")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"[" * 100_000, b'{"boot": 5, "wanted": []}'])
def test_bad_bytes_are_an_empty_record(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert record.load(tmp_path / "a", "boot-1") == record.Record("boot-1")


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "units").write_text("")
    with pytest.raises(PortError, match=r"cannot write .*engine.json"):
        record.save(tmp_path / "units" / "engine.json", FULL)
