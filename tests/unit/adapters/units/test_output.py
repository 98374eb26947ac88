import stat

import pytest

from inferagent.adapters.units.output import trim
from inferagent.ports import PortError


def test_a_short_log_and_a_missing_one_are_left_alone(tmp_path):
    log = tmp_path / "log"
    trim(log, 10)
    log.write_text("0123456789")
    trim(log, 10)
    assert log.read_text() == "0123456789"
    assert not (tmp_path / "log.1").exists()


def test_a_long_one_begins_anew_for_who_has_it_open(tmp_path):
    log = tmp_path / "log"
    with log.open("a") as child:
        child.write("x" * 20)
        child.flush()
        trim(log, 10)
        child.write("more")
    assert log.read_text() == "more"
    assert (tmp_path / "log.1").read_text() == "x" * 20


def test_what_cannot_be_shortened_is_said(tmp_path):
    (tmp_path / "log").write_text("x" * 20)
    (tmp_path / "log.1").mkdir()
    with pytest.raises(PortError, match="cannot shorten"):
        trim(tmp_path / "log", 10)


def test_what_is_cut_off_is_for_its_owner_alone_as_well(tmp_path):
    for text in ("x" * 20, "y" * 20):
        (tmp_path / "log").write_text(text)
        trim(tmp_path / "log", 10)
        assert (tmp_path / "log.1").read_text() == text
    assert stat.S_IMODE((tmp_path / "log.1").stat().st_mode) == 0o600
