"""Each call asks for the right thing, and understands each answer."""

import pytest

from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.wire import DaemonError, RefusedError, Trouble


async def test_a_container_that_is_not_there(docker):
    assert await docker.inspect("vllm") is None


async def test_its_life_and_policy(daemon, docker):
    daemon.add(status="exited", policy="always")
    await docker.start("vllm")
    await docker.set_policy("vllm", "no")
    found = await docker.inspect("vllm")
    assert found is not None
    assert (found.runs, found.policy) == (True, "no")
    await docker.stop("vllm", 12.7)
    assert daemon.asked[-1][1] == "/containers/vllm/stop?t=12"
    assert not (await docker.inspect("vllm")).runs


async def test_stopping_what_is_gone_is_no_error(daemon, docker):
    await docker.stop("vllm", 1)
    assert daemon.asked[-1][1] == "/containers/vllm/stop?t=1"


async def test_starting_what_runs_already_is_no_error(daemon, docker):
    daemon.add()
    daemon.says["/start"] = (304, b"")
    await docker.start("vllm")
    assert len(daemon.asked) == 1


async def test_a_name_that_is_taken(daemon, docker):
    assert await docker.create("vllm", {"Labels": {}})
    with pytest.raises(RefusedError) as told:
        await docker.create("vllm", {"Labels": {}})
    assert told.value.status == 409
    await docker.remove("vllm")
    assert await docker.inspect("vllm") is None


async def test_an_image_by_digest(daemon, docker):
    daemon.images.add("vllm/vllm-openai@sha256:ab")
    assert await docker.has_image("vllm/vllm-openai@sha256:ab")
    assert not await docker.has_image("vllm/vllm-openai@sha256:cd")


async def test_waiting_ends_with_the_container(daemon, docker):
    daemon.add(status="exited")
    await docker.wait("vllm", 5.0)
    daemon.containers["vllm"].status = "running"
    with pytest.raises(DaemonError) as told:
        await docker.wait("vllm", 0.1)
    assert told.value.trouble is Trouble.SILENT


async def test_what_somebody_told_docker(daemon, docker):
    assert await docker.told("a", 1.0, 2.0) == set()
    daemon.events += ["kill", "stop"]
    assert await docker.told("a", 1.0, 2.0) == {"kill", "stop"}
    daemon.says["/events"] = (200, b"nonsense\n[1]\n")
    assert await docker.told("a", 1.0, 2.0) == {"None"}


@pytest.mark.parametrize(
    "log", [b"one\ntwo\n", b"\x01\0\0\0\0\0\0\x04one\n\x02\0\0\0\0\0\0\x04two\n", b"one\ntwo"]
)
async def test_the_end_of_the_log(daemon, docker, log):
    daemon.add(log=log)
    assert await docker.last_lines("vllm", 20) == ["one", "two"]


@pytest.mark.parametrize("body", [b"nonsense", b"[]", b"", b"[" * 100000])
async def test_an_answer_that_makes_no_sense(daemon, docker, body):
    daemon.says["/json"] = (200, body)
    with pytest.raises(DaemonError) as told:
        await docker.inspect("vllm")
    assert told.value.trouble is Trouble.STRANGE


@pytest.mark.parametrize("call", ["inspect", "last_lines", "set_policy", "told"])
async def test_a_daemon_that_hangs_holds_nobody(daemon, call):
    daemon.add()
    daemon.stalls |= {"/json", "/logs", "/update", "/events"}
    docker = Docker(daemon.socket, answers=0.1)
    words = {
        "inspect": ["vllm"],
        "last_lines": ["vllm", 1],
        "set_policy": ["vllm", "no"],
        "told": ["a", 1, 2],
    }
    with pytest.raises(DaemonError, match="does not answer within"):
        await getattr(docker, call)(*words[call])
