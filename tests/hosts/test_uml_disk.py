"""The network script on the disk of a host that has a kernel of its own."""

from tests.hosts.uml_disk import net
from tests.hosts.wires import SWITCH


def test_each_port_of_its_loopback_leads_to_the_switch() -> None:
    lines = net("10.88.0.7", [9100, 7844]).splitlines()
    led = [line for line in lines if f"--to-destination {SWITCH}" in line]
    assert len(led) == 2
    assert "--dport 9100 " in led[0]
    assert "--dport 7844 " in led[1]


def test_its_address_is_there_before_its_route() -> None:
    lines = net("10.88.0.7", []).splitlines()
    address = next(at for at, line in enumerate(lines) if "10.88.0.7/24" in line)
    assert address < lines.index(f"ip route add default via {SWITCH}")
