import stat

import pytest

from inferagent.adapters.notify_file import LARGEST, NAME, NotifyFile
from inferagent.model.notice import Book, Mark, Notice, NoticeKind, Queued, Spell
from inferagent.ports import PortError

SINCE = Mark("boot-1", 12.5, "2026-11-22T12:00:00+01:00")
SPELL = Spell(
    "e2", SINCE, 40.0, 0.0, NoticeKind.OPENED, "the engine hangs", "engine-hung", SINCE, (("x", 2),)
)
NOTICE = Notice(
    "e1-over",
    NoticeKind.OVER,
    "gpu-a",
    "zwölf",
    "now",
    evidence=(("edge", 4), ("accepts", True)),
    done=("a",),
)
BOOK = Book(SPELL, (Queued(NOTICE, ("webhook", "exec")),), 3)


async def test_a_book_comes_back_whole(tmp_path):
    await NotifyFile(tmp_path / "state").save(BOOK)
    file = NotifyFile(tmp_path / "state")
    assert file.load() == BOOK
    assert file.problem == ""
    assert stat.S_IMODE((tmp_path / "state" / NAME).stat().st_mode) == 0o600


def test_none_is_an_empty_one(tmp_path):
    file = NotifyFile(tmp_path)
    assert (file.load(), file.problem) == (Book(), "")


async def test_every_prefix_of_a_file_and_every_changed_byte_is_begun_anew_and_said(tmp_path):
    file = NotifyFile(tmp_path)
    await file.save(BOOK)
    whole = (tmp_path / NAME).read_bytes()
    torn = [whole[:size] for size in range(0, len(whole), 7)]
    torn += [
        whole[:at] + b"?" + whole[at + 1 :] for at in range(0, len(whole), 11) if whole[at : at + 1] != b"?"
    ]
    for content in (*torn, b"[" * 100_000, b"x" * (LARGEST + 1)):
        (tmp_path / NAME).write_bytes(content)
        assert file.load() == Book()
        assert "cannot understand the messages" in file.problem


async def test_a_disk_that_takes_nothing_is_said_and_leaves_the_old_one(tmp_path):
    file = NotifyFile(tmp_path)
    await file.save(BOOK)
    (tmp_path / f".{NAME}.new").mkdir()
    with pytest.raises(PortError, match=r"cannot save the messages in .*: Is a directory"):
        await file.save(Book())
    assert file.load() == BOOK


def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / NAME).mkdir()
    file = NotifyFile(tmp_path)
    assert file.load() == Book()
    assert "cannot read the messages" in file.problem
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
