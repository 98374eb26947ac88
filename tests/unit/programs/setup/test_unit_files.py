"""Units read from their files as systemd reads them, as far as adoption needs it."""

from pathlib import Path

from inferagent.programs.setup.unit_files import OURS, drop_in, find, units

ETC, VENDOR = "etc/systemd/system", "usr/lib/systemd/system"


def put(root: Path, folder: str, name: str, text: str) -> None:
    path = root / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_drop_ins_count_in_their_order(tmp_path: Path) -> None:
    put(
        tmp_path,
        VENDOR,
        "a.service",
        "[Unit]\nExecStart=no\n[Service]\nExecStart=/bin/a one\nEnvironment=A=1\n",
    )
    put(tmp_path, ETC, "a.service.d/20-x.conf", "[Service]\nEnvironment=B=2 'C=3 4'\n")
    put(
        tmp_path,
        ETC,
        "a.service.d/10-x.conf",
        "[Service]\nExecStart=\nExecStart=-@/bin/b \\\n  two  \n# A=9\n",
    )
    found = find(tmp_path, "a.service")
    assert found is not None
    assert found.command == ["/bin/b", "two"]
    assert found.environment == {"A": "1", "B": "2", "C": "3 4"}


def test_an_empty_value_takes_back_what_stood_before(tmp_path: Path) -> None:
    put(tmp_path, ETC, "a.service", "[Service]\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2\n")
    found = find(tmp_path, "a.service")
    assert found is not None
    assert found.environment == {"B": "2"}
    assert found.command == []


def test_ours_can_be_left_out(tmp_path: Path) -> None:
    put(tmp_path, ETC, "a.service", "[Service]\nEnvironment=A=1\n")
    put(tmp_path, ETC, f"a.service.d/{OURS}", "[Service]\nEnvironment=A=2\n")
    with_ours, without = find(tmp_path, "a.service"), find(tmp_path, "a.service", ours=False)
    assert with_ours is not None
    assert without is not None
    assert (with_ours.environment, without.environment) == ({"A": "2"}, {"A": "1"})
    assert drop_in(tmp_path, "a.service").read_text().endswith("A=2\n")


def test_the_administrators_file_comes_first_and_a_masked_unit_is_none(tmp_path: Path) -> None:
    put(tmp_path, VENDOR, "a.service", "[Service]\nExecStart=/bin/vendor\n")
    put(tmp_path, ETC, "a.service", "[Service]\nExecStart=/bin/own\n")
    put(tmp_path, VENDOR, "b.service", "[Service]\nExecStart=/bin/b\n")
    (tmp_path / ETC / "b.service").symlink_to("/dev/null")
    found = find(tmp_path, "a.service")
    assert found is not None
    assert found.command == ["/bin/own"]
    assert find(tmp_path, "b.service") is None
    assert units(tmp_path, "*.service") == ["a.service"]


def test_what_cannot_be_split_is_no_command(tmp_path: Path) -> None:
    put(tmp_path, ETC, "a.service", "[Service]\nExecStart=/bin/a 'open\n")
    found = find(tmp_path, "a.service")
    assert found is not None
    assert found.command == []
