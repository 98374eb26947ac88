"""Which Debian a host starts from, without building one."""

import pytest
from tests.hosts.base import mirror_of, python_of, unified

TARGETS = """bookworm contrib http://mirror.test/debian
bookworm main http://mirror.test/debian
bookworm main http://another.test/programs
bookworm-security main http://mirror.test/security
"""


def test_the_mirror_of_one_suite_has_the_others():
    assert mirror_of("bookworm", TARGETS) == "http://mirror.test/debian"
    assert mirror_of("sid", TARGETS) == "http://mirror.test/debian"


def test_the_mirror_of_the_very_suite_goes_before():
    assert mirror_of("sid", TARGETS + "sid main http://sid.test\n") == "http://sid.test"


def test_another_distribution_has_none():
    assert mirror_of("sid", "noble main http://mirror.test\nbookworm contrib http://mirror.test\n") == ""


@pytest.mark.parametrize(("version", "alone"), [("252", False), ("257", False), ("258", True), ("262", True)])
def test_newer_systemds_know_version_2_of_control_groups_only(tmp_path, version, alone):
    library = tmp_path / f"usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-{version}.so"
    library.parent.mkdir(parents=True)
    library.touch()
    assert unified(tmp_path) is alone


def test_a_disk_without_systemd_is_none_of_them(tmp_path):
    assert not unified(tmp_path)


def test_the_python_of_a_base_is_that_of_its_link(tmp_path):
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/python3").symlink_to("python3.14")
    assert python_of(tmp_path) == "3.14"
