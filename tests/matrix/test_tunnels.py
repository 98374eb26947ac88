"""What a host is told of its tunnel, and the connector's words with another edge."""

import base64
import json

from tests.matrix import tunnels
from tests.matrix.account import by_hand
from tests.matrix.faults.connector import with_edge
from tests.matrix.stage import TIMING

from inferagent.lab.demo.programs import connector
from inferagent.lab.demo.world import open_world


async def test_rules_secrets_and_new_tunnels_by_hand(tmp_path):
    rules = [{"hostname": "a.example.com", "service": "http://127.0.0.1:1"}, {"service": "http_status:404"}]
    async with open_world(tmp_path, TIMING) as world:
        token = await tunnels.make_tunnel(world, "one", rules)
        tunnel = json.loads(base64.b64decode(token))["t"]
        told = await tunnels.ingress(world, tunnel)
        assert [rule["service"] for rule in told] == ["http://127.0.0.1:1", "http_status:404"]
        await tunnels.put_ingress(world, tunnel, told)
        fresh = base64.b64encode(b"s" * 32).decode()
        await tunnels.rotate(world, tunnel, fresh)
        path = f"/accounts/{world.info['account']}/cfd_tunnel/{tunnel}/token"
        told = await by_hand(world, "GET", path)
        assert tunnels.secret_in(told) == fresh != tunnels.secret_in(token)
        name = await tunnels.make_hostname(world, "guest", tunnel)
        state = await world.ask("GET", "/state")
        assert name in {record["name"] for record in state["dns_records"].values()}


def test_the_edge_of_a_command_is_exchanged():
    class Only:
        connector = connector(["127.0.0.1:1", "127.0.0.2:1"], "ca.pem", real=False)

    words = with_edge(Only, ["127.0.0.11:5"])
    at = words.index("tunnel")
    assert words[at : at + 3] == ("tunnel", "--edge", "127.0.0.11:5")
    assert words.count("--edge") == 1
    assert words[-1] == "run"
    assert "ca.pem" in words
