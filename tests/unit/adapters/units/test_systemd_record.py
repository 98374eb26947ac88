import pytest

from inferagent.adapters.units.systemd_record import By, Record, load, save
from inferagent.ports import PortError


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "units" / "engine-unit.json"
    record = Record("boot", "x.service", True, "a", 7, 1.5, 2, (1.0, 2.0), By.PERSON, "exit code 1")
    save(path, record)
    assert load(path, "boot", "x.service") == record
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("boot", "unit"), [("another", "x.service"), ("boot", "y.service")])
def test_another_boot_or_unit_begins_anew(tmp_path, boot, unit):
    save(tmp_path / "r", Record("boot", "x.service", invocation="a"))
    assert load(tmp_path / "r", boot, unit) == Record(boot, unit)


@pytest.mark.parametrize(
    "text", ["", "{", '{"boot": 1}', '{"boot": "boot", "unit": "x.service", "stopped": "him"}']
)
def test_what_cannot_be_read_begins_anew(tmp_path, text):
    (tmp_path / "r").write_text(text)
    assert load(tmp_path / "r", "boot", "x.service") == Record("boot", "x.service")


def test_what_cannot_be_written_is_said(tmp_path):
    (tmp_path / "units").write_text("in the way")
    with pytest.raises(PortError, match="cannot write"):
        save(tmp_path / "units" / "r", Record("boot", "x.service"))
