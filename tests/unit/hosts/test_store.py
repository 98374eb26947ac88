"""What host suites get their packages from: a served folder, spoilt and healed."""

import http.client
import tempfile
from pathlib import Path

import pytest
from tests.hosts.base import NoHostsError
from tests.hosts.store import PORT, beside_python, served, spoil


def test_a_spoilt_file_differs_in_one_byte_and_heals(tmp_path):
    path = tmp_path / "index"
    path.write_bytes(b"0123456789")
    heal = spoil(path)
    spoilt = path.read_bytes()
    assert len(spoilt) == 10
    assert sum(one != two for one, two in zip(spoilt, b"0123456789", strict=True)) == 1
    heal()
    assert path.read_bytes() == b"0123456789"


def test_the_folder_is_served_until_the_end():
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "x").write_text("here")
        with served(Path(name)):
            link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
            link.request("GET", "/x")
            assert link.getresponse().read() == b"here"
            link.close()
        with pytest.raises(ConnectionRefusedError):
            http.client.HTTPConnection("127.0.0.1", PORT, timeout=10).connect()


def test_a_suite_is_skipped_where_the_builder_is_not_installed():
    with pytest.raises(NoHostsError, match="no-such-tool is not installed"):
        beside_python("no-such-tool")
