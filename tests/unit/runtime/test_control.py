"""The server over a real unix socket; the desk is a small real one."""

import asyncio
import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from inferagent.model.status import Status
from inferagent.runtime import control
from inferagent.runtime.control import Answer, ControlError, DrainRequest, serve_control

DEADLINE = 5.0


class Office:
    """Answers every drain; there is nothing to show."""

    def __init__(self) -> None:
        self.asked: list[DrainRequest] = []

    def status(self) -> Status | None:
        return None

    def drain(self, request: DrainRequest) -> Answer:
        self.asked.append(request)
        return Answer(True, "draining")

    def resume(self) -> Answer:
        return Answer(False, "cannot resume: nothing is held")


@pytest.fixture
def path():
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has at most 107 bytes
        yield Path(folder) / "run" / "control.sock"


@contextlib.asynccontextmanager
async def serving(path: Path, desk: Office | None = None):
    ready = asyncio.Event()
    async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
        task = group.create_task(serve_control(path, desk or Office(), ready))
        await ready.wait()
        yield
        task.cancel()


async def talk(path: Path, raw: bytes) -> tuple[int, dict]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(raw)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    try:
        answer = await asyncio.wait_for(reader.read(), DEADLINE)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def request(method: str, target: str, body: bytes = b"") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_an_order_reaches_the_desk_and_its_answer_comes_back(path):
    desk = Office()
    async with serving(path, desk):
        assert await talk(path, request("POST", "/v1/drain", b'{"reason": "disk"}')) == (
            200,
            {"api": 1, "ok": True, "message": "draining", "cure": ""},
        )
        assert (await talk(path, request("POST", "/v1/resume", b"{}")))[0] == 409
        assert (await talk(path, request("GET", "/v1/status")))[0] == 503
    assert desk.asked == [DrainRequest(reason="disk")]


async def test_the_socket_is_for_its_group_and_goes_with_the_server(path):
    async with serving(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert not path.exists()


BAD = {
    "no http": (b"hello\r\n\r\n", 400),
    "no host": (b"GET /v1/status HTTP/1.1\r\n\r\n", 400),
    "two lengths": (
        b"POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        400,
    ),
    "bytes": (bytes(range(128, 256)) + b"\r\n\r\n", 400),
    "long header": (b"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000, 431),
    "long body": (request("POST", "/v1/drain", b" " * 20_000), 413),
    "long target": (request("GET", "/" + "a" * 10_000), 404),
    "bad json": (request("POST", "/v1/drain", b"{"), 400),
    "bad chunk": (b"POST /v1/drain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
}


@pytest.mark.parametrize("name", list(BAD))
async def test_bad_input_is_answered_and_ends_nothing(path, name):
    raw, code = BAD[name]
    desk = Office()
    async with serving(path, desk):
        answered, document = await talk(path, raw)
        assert answered == code
        assert document["api"] == 1
        assert document["message"].startswith("cannot ")
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409
    assert desk.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GET",
        b"POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
        b"HEAD /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_a_client_that_goes_away_is_forgotten(path, raw):
    desk = Office()
    async with serving(path, desk):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(raw)
        writer.write_eof()
        await reader.read()
        writer.close()
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409
    assert desk.asked == []


async def test_a_crowd_is_turned_away_and_the_next_is_served(path):
    async with serving(path):
        crowd = [await asyncio.open_unix_connection(path) for _ in range(control.MOST_CONNECTIONS)]
        assert (await talk(path, request("GET", "/v1/status")))[1][
            "message"
        ] == "cannot answer: too many connections"
        for _, writer in crowd:
            writer.close()
        for reader, _ in crowd:
            await reader.read()
        code, _ = await talk(path, request("POST", "/v1/resume"))
        assert code == 409


async def test_open_connections_do_not_delay_the_end(path):
    async with serving(path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET")
        await writer.drain()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
    assert reader.at_eof() or reader.exception() is not None
    writer.close()


async def test_a_dead_agent_s_socket_is_replaced(path):
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(path):
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409


async def test_a_second_agent_is_refused_with_the_first_one_s_pid(path):
    lock = path.with_name("agent.lock")
    async with serving(path):
        said = f"cannot start: another agent (pid {os.getpid()}) holds {lock}"
        with pytest.raises(ControlError, match=re.escape(said)) as caught:
            await serve_control(path, Office())
        assert caught.value.cure == "inferagent status"
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409
    async with serving(path):
        assert lock.exists(), "the lock's file outlives the agent, the lock does not"


@pytest.mark.parametrize("left", [b"", b"4194305\n", b"x" * 30])
async def test_what_a_dead_agent_left_in_the_lock_is_not_taken_for_the_living_one(path, left):
    async with serving(path):
        path.with_name("agent.lock").write_bytes(left)
        with pytest.raises(ControlError, match="cannot start: another agent holds "):
            await serve_control(path, Office())


async def test_a_living_agent_s_socket_is_left_alone(path):
    """An agent of a version without a lock."""
    async with serving(path):
        path.with_name("agent.lock").unlink()
        with pytest.raises(ControlError, match=f"cannot start: another agent answers at {path}") as caught:
            await serve_control(path, Office())
        assert caught.value.cure == "inferagent status"
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409


async def test_no_child_of_the_agent_keeps_its_lock(path):
    async with serving(path):
        child = await asyncio.create_subprocess_exec("sleep", "30", close_fds=False)
    try:
        async with serving(path):
            assert (await talk(path, request("POST", "/v1/resume")))[0] == 409
    finally:
        child.kill()
        await child.wait()


async def test_a_lock_that_cannot_be_made_is_an_error(path):
    path.parent.mkdir()
    path.with_name("agent.lock").mkdir()
    with pytest.raises(ControlError, match="cannot start: cannot listen at"):
        await serve_control(path, Office())


CONTENDER = """
import sys, time
from pathlib import Path
from inferagent.runtime.control import ControlError, only_agent, open_socket
folder, rounds, begin = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
won = []
for number in range(rounds):
    path = folder / str(number) / "control.sock"
    time.sleep(max(0.0, begin + number * 0.1 - time.time()))
    try:
        with only_agent(path):
            open_socket(path)
            won.append(number)
            time.sleep(0.05)
    except ControlError:
        pass
print(*won)
"""


def test_of_agents_that_start_at_once_on_a_dead_one_s_socket_one_wins():
    rounds, contenders = 20, 4
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds):
            folder = Path(name) / str(number)
            folder.mkdir()
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(folder / "control.sock"))
        argv = [sys.executable, "-c", CONTENDER, name, str(rounds), str(time.time() + 1.5)]
        all_of_them = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(contenders)]
        won = [one.communicate(timeout=30)[0].split() for one in all_of_them]
    assert sorted(int(number) for numbers in won for number in numbers) == list(range(rounds))


async def test_a_file_that_is_no_socket_is_left_alone(path):
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ControlError, match="is no socket"):
        await serve_control(path, Office())
    assert path.read_text() == "precious"


async def test_a_path_that_is_too_long_is_an_error(tmp_path):
    with pytest.raises(ControlError, match="cannot start: cannot listen at") as caught:
        await serve_control(tmp_path / ("x" * 120), Office())
    assert "name another folder" in caught.value.cure, "no agent is there to be asked for its status"


async def test_a_successor_s_socket_is_not_removed(path):
    async with serving(path):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            inode = path.stat().st_ino
    assert path.stat().st_ino == inode
