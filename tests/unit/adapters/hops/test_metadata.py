"""What a VM says about itself."""

import contextlib

import pytest
from aiohttp import web

from inferagent.adapters.hops.metadata import is_google, read
from inferagent.lab.demo.world import free_ports
from inferagent.ports import PortError


@contextlib.asynccontextmanager
async def serving(values):
    async def answer(request):
        if request.headers.get("Metadata-Flavor") != "Google":
            return web.Response(status=403)
        key = request.path.removeprefix("/computeMetadata/v1/instance/")
        return web.Response(text=values[key]) if key in values else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_what_is_there_is_read_and_what_is_not_is_left_out():
    async with serving({"scheduling/preemptible": "TRUE\n"}) as place:
        assert await read(("scheduling/preemptible", "tags"), place, 2) == {"scheduling/preemptible": "TRUE"}


async def test_no_server():
    with pytest.raises(PortError, match="cannot"):
        await read(("tags",), f"127.0.0.1:{free_ports(1)[0]}", 1)


@pytest.mark.parametrize(("name", "google"), [("Google Compute Engine\n", True), ("Precision 5820\n", False)])
def test_the_product_name_tells(tmp_path, name, google):
    place = tmp_path / "sys/class/dmi/id"
    place.mkdir(parents=True)
    (place / "product_name").write_text(name)
    assert is_google(tmp_path) is google


def test_a_machine_without_a_name_is_not_google(tmp_path):
    assert not is_google(tmp_path)
