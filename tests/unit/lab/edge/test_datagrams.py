"""Version negotiation, and a firewall that drops."""

import pytest

from inferagent.adapters.hops.ports import quic_answers
from inferagent.lab.edge.datagrams import LEAST, negotiation
from inferagent.ports import PortError

ASKED = b"\xc0" + bytes.fromhex("1a2a3a4a") + b"\x02dd" + b"\x03sss"


def test_both_ids_come_back_in_turn():
    answer = negotiation(ASKED.ljust(LEAST, b"\0"))
    assert answer[1:5] == bytes(4)
    assert answer[5:].startswith(b"\x03sss\x02dd")


@pytest.mark.parametrize(
    "data",
    [ASKED, b"\x40".ljust(LEAST, b"\0"), (b"\xc0" + bytes.fromhex("00000001")).ljust(LEAST, b"\0")],
    ids=["too short", "short header", "known version"],
)
def test_what_gets_no_answer(data):
    assert negotiation(data) == b""


async def test_the_edge_answers_at_each_address_until_it_is_shut(edge):
    for address in ("127.0.0.1", "127.0.0.2"):
        await quic_answers(address, edge.tunnel_port, 2)
    await edge.command({"do": "udp", "open": False})
    with pytest.raises(PortError):
        await quic_answers("127.0.0.1", edge.tunnel_port, 0.2)
