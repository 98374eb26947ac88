"""Who listens where, by the kernel's own table."""

import socket

import pytest

from inferagent.adapters.hops.listeners import is_open, listening
from inferagent.lab.demo.world import free_ports
from inferagent.ports import PortError

HEAD = "  sl  local_address rem_address   st\n"


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_real_socket(address):
    with socket.create_server((address, 0)) as server:
        assert listening(server.getsockname()[1]) == (address,)


def test_an_ipv6_socket():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert listening(server.getsockname()[1]) == ("::1",)


def test_nobody():
    assert listening(free_ports(1)[0]) == ()


def test_a_connection_is_no_listener(tmp_path):
    (tmp_path / "net").mkdir()
    lines = "0: 0100007F:1F40 0100007F:9C40 01 0\n1: 00000000:1F40 00000000:0000 0A 0\n"
    (tmp_path / "net/tcp").write_text(HEAD + lines)
    assert listening(8000, tmp_path) == ("0.0.0.0",)


def test_ipv4_in_ipv6_clothes(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp6").write_text(HEAD + "0: 0000000000000000FFFF00000100007F:1F40 x 0A 0\n")
    assert listening(8000, tmp_path) == ("127.0.0.1",)


def test_a_table_that_cannot_be_read(tmp_path):
    (tmp_path / "net/tcp").mkdir(parents=True)
    with pytest.raises(PortError, match="cannot read"):
        listening(8000, tmp_path)


@pytest.mark.parametrize(
    ("address", "others"),
    [
        ("127.0.0.1", False),
        ("127.0.0.53", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.4", True),
    ],
)
def test_which_addresses_let_others_in(address, others):
    assert is_open(address) is others
