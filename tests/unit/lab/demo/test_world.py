"""The world of the lab: hosts with ports of their own, what the edge routes to, waits that end."""

import asyncio
import socket
import stat
from pathlib import Path

import pytest
from tests.support import virtual
from tests.support.demo_fakes import FakeHost, FakeWorld

from inferagent.lab.demo.world import Timing, World, free_ports, open_world
from inferagent.lab.processes import look


def test_ports_are_free_and_differ() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    assert max(ports) < 32_768  # where the kernel's own begin
    for port in ports:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


def test_a_wait_ends_with_the_seconds_it_took_or_names_what_did_not_come() -> None:
    world = FakeWorld()

    async def story() -> None:
        loop = asyncio.get_running_loop()

        async def later() -> bool:
            return loop.time() >= 2.0

        async def never() -> bool:
            return False

        assert 2.0 <= await world.until("later", later, 10) < 2.3
        with pytest.raises(TimeoutError, match="never: not within 10 s"):
            await world.until("never", never, 10)

    virtual.run(story())


def test_one_host_may_have_stand_ins_where_the_others_are_real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.touch(mode=0o755)
    for name in ("INFERAGENT_CLOUDFLARED", "INFERAGENT_VLLM", "INFERAGENT_VLLM_MODEL"):
        monkeypatch.setenv(name, str(program))
    world = FakeWorld()
    world.info = {"edge": ["127.0.0.1:7844"], "cacert": "ca.pem"}
    world.folder, world.timing = tmp_path, Timing()
    for stand_in in (False, True):
        host = World.add(world, f"host-{stand_in}", "vllm", 50, stand_in=stand_in)
        assert [host.engine.real, host.connector.real] == [not stand_in] * 2


def test_the_edge_says_whether_it_routes_to_a_host() -> None:
    host, stranger = FakeHost("gcp"), FakeHost("elsewhere")
    world = FakeWorld(host)

    async def story() -> None:
        assert await world.routes_to(host)  # type: ignore[arg-type]
        host.enabled = False
        assert not await world.routes_to(host)  # type: ignore[arg-type]
        assert not await world.routes_to(stranger)  # type: ignore[arg-type]
        assert (await world.pool(host))["enabled"] is False  # type: ignore[arg-type]

    virtual.run(story())


def test_a_host_is_waited_for_by_its_own_word() -> None:
    host = FakeHost("gcp", phase="joining")
    world = FakeWorld(host)

    async def story() -> None:
        asyncio.get_running_loop().call_later(3.0, setattr, host, "phase", "serving")
        assert 3.0 <= await world.in_phase(host, "serving", 10) < 3.3  # type: ignore[arg-type]
        with pytest.raises(TimeoutError, match="gcp out: not within 5 s"):
            await world.in_phase(host, "out", 5)  # type: ignore[arg-type]

    virtual.run(story())


async def test_account_and_edge_run_while_the_world_is_open_and_end_with_it(tmp_path: Path) -> None:
    timing = Timing(settings={"drain.settle": "2s"})
    async with open_world(tmp_path, timing) as world:
        host = world.add("gpu-a", "vllm", 80, {"drain.quiet": "1s"})
        await world.own_token(host)
        assert stat.S_IMODE(host.token_file.stat().st_mode) == 0o600
        assert host.settings == {"drain.settle": "2s", "drain.quiet": "1s"}
        assert len({host.engine_port, host.metrics_port, host.ready_port}) == 3
        assert world.public_host == "llm.example.com"
        fault = await world.fault(kind="status", status=503, token=host.token)
        assert list(await world.ask("GET", "/faults")) == [fault]
        await world.mend()
        assert await world.ask("GET", "/faults") == {}
        assert await world.routes_to(host) is False
        pid = world.program.pid
    found = look(pid)
    assert found is None or found.state == "Z"


async def test_a_world_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot start the lab's account and edge"):
        async with open_world(tmp_path, Timing(lag=(1.0, "x"))):  # type: ignore[arg-type]
            pytest.fail("it opened")
