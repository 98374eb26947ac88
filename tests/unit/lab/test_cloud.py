import asyncio
import json
import signal
import stat
import sys

import aiohttp
from tests.support.edge_lab import inside, until

from inferagent.lab.cloud import serve_cloud
from inferagent.lab.edge.settings import EdgeSettings

AT_ONCE = EdgeSettings(lag=(0, 0), cache_s=0)


async def test_a_tunnel_made_by_the_api_is_served_by_the_edge(tmp_path):
    async with serve_cloud(tmp_path / "new", AT_ONCE) as cloud:
        where = cloud.as_json()
        auth = {"Authorization": f"Bearer {cloud.token_file.read_text().strip()}"}
        async with aiohttp.ClientSession(headers=auth) as session:
            base = f"{where['api']}/accounts/{where['account']}/cfd_tunnel"
            async with session.post(base, json={"name": "gpu", "config_src": "cloudflare"}) as answer:
                tunnel = (await answer.json())["result"]["id"]
            rules = {"config": {"ingress": [{"service": "http_status:418"}]}}
            async with session.put(f"{base}/{tunnel}/configurations", json=rules) as answer:
                assert answer.status == 200
            record = {"type": "CNAME", "name": "gpu.example.com", "content": f"{tunnel}.cfargotunnel.com"}
            zone = f"{where['api']}/zones/{where['zone']}/dns_records"
            async with session.post(zone, json=record | {"proxied": True, "ttl": 1}) as answer:
                assert answer.status == 200
            async with inside(cloud.edge, cloud.store, tunnel):
                async with session.get(where["public"], headers={"Host": "gpu.example.com"}) as answer:
                    assert answer.status == 418
                async with session.get(f"{base}/{tunnel}/connections") as answer:
                    found = (await answer.json())["result"]
                assert len(found[0]["conns"]) == 1
                async with session.get(where["edge_control"]) as answer:
                    assert (await answer.json())["counters"]["requests"] == {"direct": 1}


async def test_as_a_program_it_says_where_everything_is_and_ends_on_sigterm(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "inferagent.lab.cloud", "--dir", str(tmp_path), "--lag", "0", "1", "--cache", "0.5"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        where = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        assert stat.S_IMODE((tmp_path / "api-token").stat().st_mode) == 0o600
        assert (tmp_path / "api-token").read_text().strip() not in json.dumps(where)
        assert where["tunnel_edge"].count(",") == len(where["edge"]) - 1
        async with aiohttp.ClientSession() as session:
            async with session.get(where["edge_control"]) as answer:
                status = await answer.json()
            async with session.get(where["public"], headers={"Host": "x.example.com"}) as answer:
                assert answer.status == 409
        assert (status["lag"], status["cache_s"]) == ([0.0, 1.0], 0.5)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    await until(lambda: process.returncode is not None)
