"""A download that is not whole yet, and room on a disk."""

import errno

import pytest

from inferagent.adapters.part_file import PartFile, check_room, in_words, unwritten
from inferagent.ports import PortError


def test_a_tag_counts_for_its_url_and_its_bytes_alone(tmp_path):
    part = PartFile("http://a/x", tmp_path / "x")
    part.remember('"one"')
    assert (part.size(), part.tag()) == (0, ""), "there is nothing to go on with"
    part.path.write_bytes(b"half")
    assert (part.size(), part.tag()) == (4, '"one"')
    assert PartFile("http://b/x", tmp_path / "x").tag() == ""
    part.remember('W/"weak"')
    assert part.tag() == ""


def test_a_note_that_makes_no_sense(tmp_path):
    part = PartFile("u", tmp_path / "x")
    part.path.write_bytes(b"half")
    for text in ("", "[1]", "{}", '{"url": 1'):
        (tmp_path / "x.part.json").write_text(text)
        assert part.tag() == ""


def test_done_and_forgotten_leave_nothing_beside(tmp_path):
    part = PartFile("u", tmp_path / "x")
    part.path.write_bytes(b"whole")
    part.remember("t")
    part.done()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    part.path.write_bytes(b"half")
    part.forget()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_room_is_that_of_the_disk_where_the_folder_will_be(tmp_path):
    check_room(tmp_path / "not" / "there", 1)
    with pytest.raises(PortError, match=f"make room on that disk: df -h {tmp_path}") as caught:
        check_room(tmp_path / "not" / "there", 2**60)
    assert caught.value.refused


def test_only_a_full_disk_has_that_cure(tmp_path):
    assert "make room" in str(unwritten(tmp_path / "x", OSError(errno.ENOSPC, "No space left on device")))
    assert "make room" not in str(unwritten(tmp_path / "x", OSError(errno.EIO, "Input/output error")))


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (123456, "123 kB"),
        (1.84e9, "1.8 GB"),
        (2.5e12, "2.5 TB"),
    ],
)
def test_bytes_for_people(count, words):
    assert in_words(count) == words
