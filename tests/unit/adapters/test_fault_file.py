"""Faults that outlast the saved state within a boot."""

from dataclasses import replace

import pytest

from inferagent.adapters.fault_file import FaultFile, with_faults
from inferagent.model.saved import Cleared, Fault, Saved

LOST = Fault("boot-1", "GPU-0", "lost", "GPU 0 is lost to its driver", 3.0)
RESET = replace(LOST, code="reset-required")


def test_what_was_kept_is_there_for_the_next_life(tmp_path):
    run = tmp_path / "run"
    FaultFile(run).keep((LOST, RESET))
    assert FaultFile(run).load() == (LOST, RESET)


def test_faults_that_are_over_are_over(tmp_path):
    FaultFile(tmp_path).keep((LOST,))
    later = FaultFile(tmp_path)
    later.load()
    later.keep(())
    assert FaultFile(tmp_path).load() == ()


def test_a_host_without_faults_has_no_file_and_the_same_ones_are_written_once(tmp_path):
    file = FaultFile(tmp_path)
    file.keep(())
    assert list(tmp_path.iterdir()) == []
    file.keep((LOST,))
    first = (tmp_path / "faults.json").stat().st_ino
    file.keep((LOST,))
    assert (tmp_path / "faults.json").stat().st_ino == first


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[" * 100_000, b"[]", b'{"faults": [{}]}', b'{"faults": []}']
)
def test_what_cannot_be_understood_is_no_fault_and_is_written_anew(tmp_path, content):
    (tmp_path / "faults.json").write_bytes(content)
    file = FaultFile(tmp_path)
    assert file.load() == ()
    file.keep((LOST,))
    assert FaultFile(tmp_path).load() == (LOST,)


def test_a_time_that_is_none_is_not_taken_over_into_a_state_that_could_then_not_be_read(tmp_path):
    FaultFile(tmp_path).keep((replace(LOST, at=float("nan")),))
    assert FaultFile(tmp_path).load() == ()


def test_a_changed_byte_is_not_believed_and_is_written_anew(tmp_path):
    FaultFile(tmp_path).keep((LOST,))
    path = tmp_path / "faults.json"
    path.write_bytes(path.read_bytes().replace(b"boot-1", b"boot-2"))
    file = FaultFile(tmp_path)
    assert file.load() == ()
    file.keep((replace(LOST, boot="boot-2"),))
    assert FaultFile(tmp_path).load() == (replace(LOST, boot="boot-2"),)


def test_a_full_folder_disturbs_nothing_and_is_tried_again(tmp_path):
    blocker = tmp_path / ".faults.json.new"
    blocker.mkdir()
    file = FaultFile(tmp_path)
    file.keep((LOST,))
    assert file.load() == ()
    blocker.rmdir()
    file.keep((LOST,))
    assert FaultFile(tmp_path).load() == (LOST,)


def test_a_state_gets_back_what_it_lost_and_nothing_twice():
    assert with_faults(None, ()) is None
    assert with_faults(None, (LOST,)) == Saved(boot="boot-1", faults=(LOST,))
    whole = Saved(boot="boot-1", adopted=True, faults=(replace(LOST, at=9.0),))
    assert with_faults(whole, (LOST,)) is whole
    assert with_faults(whole, (RESET,)) == replace(whole, faults=(*whole.faults, RESET))
    older = Saved(boot="boot-0", faults=(replace(LOST, boot="boot-0"),))
    assert with_faults(older, (LOST,)) == replace(older, faults=(*older.faults, LOST))


WORD = Cleared("boot-1", "GPU-0", 5.0, 0, "0000:01:00", 80)


def test_the_operator_s_words_are_kept_beside_the_faults(tmp_path):
    file = FaultFile(tmp_path)
    file.keep((RESET,), (WORD,))
    later = FaultFile(tmp_path)
    assert (later.load(), later.cleared) == ((RESET,), (WORD,))
    later.keep((), (WORD,))
    assert FaultFile(tmp_path).load() == ()


def test_a_state_that_has_not_heard_the_word_hears_it():
    deaf = Saved(boot="boot-1", faults=(LOST,))
    assert with_faults(deaf, (), (WORD,)) == Saved(boot="boot-1", faults=(), cleared=(WORD,))
    since = replace(LOST, at=9.0)
    assert with_faults(replace(deaf, faults=(since,)), (since,), (WORD,)).faults == (since,)
    assert with_faults(None, (), (WORD,)) == Saved(boot="boot-1", cleared=(WORD,))
    heard = Saved(boot="boot-1", cleared=(WORD,))
    assert with_faults(heard, (), (WORD,)) is heard
