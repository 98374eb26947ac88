"""The server over a real unix socket; the desk is a small real one."""

import asyncio
import contextlib
import json
import shutil
import stat
import tempfile
import time
from pathlib import Path
from random import Random

import pytest
from tests.contract.units_bench import until
from tests.support.agent import Agent
from tests.support.answers import check_answer

from inferagent.model.status import Status
from inferagent.runtime import control
from inferagent.runtime.control import Answer, ControlError, Desk, DrainRequest, serve_control

DEADLINE = 5.0


class Office:
    """Answers every drain; there is nothing to show."""

    def __init__(self) -> None:
        self.asked: list[DrainRequest] = []

    def status(self) -> Status | None:
        return None

    def metrics(self) -> str:
        return "inferagent_up 1\n"

    def drain(self, request: DrainRequest) -> Answer:
        self.asked.append(request)
        return Answer(True, "draining")

    def resume(self) -> Answer:
        return Answer(False, "cannot resume: nothing is held")


@pytest.fixture
def run():
    with tempfile.TemporaryDirectory() as folder:  # short: a socket's path has at most 107 bytes
        yield Path(folder) / "run"


@pytest.fixture
def path(run):
    """Where orders go."""
    return run / "operator.sock"


@contextlib.asynccontextmanager
async def serving(run: Path, desk: Desk | None = None, patience: float = control.PATIENCE):
    ready = asyncio.Event()
    async with asyncio.timeout(4 * DEADLINE), asyncio.TaskGroup() as group:
        task = group.create_task(serve_control(run, desk or Office(), ready, patience=patience))
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
    document = json.loads(body)
    check_answer(document)
    return int(head.split()[1]), document


def request(method: str, target: str, body: bytes = b"") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_an_order_reaches_the_desk_and_its_answer_comes_back(run, path):
    desk = Office()
    async with serving(run, desk):
        assert await talk(path, request("POST", "/v1/drain", b'{"reason": "disk"}')) == (
            200,
            {"api": 1, "ok": True, "message": "draining", "cure": ""},
        )
        assert (await talk(path, request("POST", "/v1/resume", b"{}")))[0] == 409
        assert (await talk(path, request("GET", "/v1/status")))[0] == 503
    assert desk.asked == [DrainRequest(reason="disk")]


async def test_at_the_readers_socket_nobody_acts(run):
    desk = Office()
    async with serving(run, desk):
        code, document = await talk(run / "control.sock", request("POST", "/v1/drain", b"{}"))
        assert (code, document["ok"]) == (403, False)
        assert document["cure"].startswith(
            "run it with sudo, or name a group that may: operators under [agent]"
        )
        assert (await talk(run / "control.sock", request("GET", "/v1/status")))[0] == 503
    assert desk.asked == []


async def test_metrics_come_as_text(run):
    async with serving(run):
        reader, writer = await asyncio.open_unix_connection(run / "control.sock")
        writer.write(request("GET", "/v1/metrics"))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert body == b"inferagent_up 1\n"
    assert b"Content-Type: text/plain; version=0.0.4" in head


async def test_the_sockets_have_their_modes_and_go_with_the_server(run, path):
    async with serving(run):
        assert stat.S_IMODE((run / "control.sock").stat().st_mode) == 0o660
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    assert not (run / "control.sock").exists()


async def test_sockets_that_somebody_removes_are_opened_again(run, path):
    async with serving(run):
        shutil.rmtree(run)
        await until(path.exists, "the sockets are there again", 4 * control.LOOK)
        assert (await talk(path, request("GET", "/nothing")))[0] == 404
        assert stat.S_IMODE((run / "control.sock").stat().st_mode) == 0o660
    assert not path.exists()


@pytest.mark.parametrize("taken", ["control.sock", "operator.sock"])
async def test_where_one_of_the_two_cannot_be_opened_neither_stays(run, taken):
    run.mkdir()
    (run / taken).write_text("precious")
    with pytest.raises(ControlError, match="is no socket"):
        await serve_control(run, Office())
    assert {file.name for file in run.iterdir()} == {taken}


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
async def test_bad_input_is_answered_and_ends_nothing(run, path, name):
    raw, code = BAD[name]
    desk = Office()
    async with serving(run, desk):
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
async def test_a_client_that_goes_away_is_forgotten(run, path, raw):
    desk = Office()
    async with serving(run, desk):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(raw)
        writer.write_eof()
        await reader.read()
        writer.close()
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409
    assert desk.asked == []


async def test_a_crowd_is_turned_away_and_the_next_is_served(run, path):
    async with serving(run):
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


async def test_open_connections_do_not_delay_the_end(run, path):
    async with serving(run):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET")
        await writer.drain()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
    assert reader.at_eof() or reader.exception() is not None
    writer.close()


async def test_of_each_socket_the_crowd_is_its_own(run, path):
    """Readers that hold every connection keep no operator out."""
    async with serving(run):
        crowd = [await asyncio.open_unix_connection(run / "control.sock") for _ in range(40)]
        assert (await talk(run / "control.sock", request("GET", "/v1/status")))[0] == 503
        assert (await talk(path, request("POST", "/v1/drain")))[0] == 200
        for _, writer in crowd:
            writer.close()


async def test_who_takes_too_long_is_cut_off(run, path):
    desk = Office()
    async with serving(run, desk, patience=0.2):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
        assert await asyncio.wait_for(reader.read(), DEADLINE) == b""
        writer.close()
        assert (await talk(path, request("POST", "/v1/resume")))[0] == 409
    assert desk.asked == []


# the loop, while somebody does what nobody should


async def flood(path: Path) -> None:
    """Megabytes where a line is expected."""
    _, writer = await asyncio.open_unix_connection(path)
    with contextlib.suppress(ConnectionError):
        for _ in range(200):
            writer.write(b"GET /v1/status HTTP/1.1\r\nX: " + b"a" * 65_536)
            await writer.drain()
    writer.close()


async def drip(path: Path) -> None:
    """A byte now and then, on many connections."""
    several = [await asyncio.open_unix_connection(path) for _ in range(60)]
    for byte in b"POST /v1/drain HT":
        for _, writer in several:
            with contextlib.suppress(ConnectionError):
                writer.write(bytes([byte]))
        await asyncio.sleep(0.02)
    for _, writer in several:
        writer.close()


async def babble(path: Path) -> None:
    noise = Random(5)
    for _ in range(25):
        code, _ = await talk(path, noise.randbytes(200) + b"\r\n\r\n")
        assert code in {400, 501, 505}


async def forbid(path: Path) -> None:
    for _ in range(25):
        code, _ = await talk(path.with_name("control.sock"), request("POST", "/v1/drain", b"{}"))
        assert code == 403


async def crowd(path: Path) -> None:
    """More than are served, more than once."""
    for _ in range(3):
        several = [await asyncio.open_unix_connection(path) for _ in range(100)]
        for _, writer in several:
            writer.close()


async def ask(path: Path) -> None:
    for _ in range(25):
        assert (await talk(path, request("GET", "/v1/status")))[0] == 200


async def shout(path: Path) -> None:
    for _ in range(20):
        assert (await talk(path, request("POST", "/v1/drain", b" " * 20_000)))[0] == 413


@pytest.mark.parametrize("abuse", [flood, drip, babble, forbid, crowd, ask, shout])
async def test_the_loop_ticks_on_whatever_is_done_at_the_sockets(run, path, abuse):
    """The real loop, in real time: between two ticks nothing takes long, and nothing is changed."""
    agent = Agent()
    gaps: list[float] = []

    async def pulse() -> None:
        """CPU time of this thread: other load of the machine is nobody's fault."""
        while True:
            before = time.thread_time()
            agent.loop.wake()
            await asyncio.sleep(0.01)
            gaps.append(time.thread_time() - before)

    async with agent.running(0.2), serving(run, agent.loop, patience=0.5):
        ticking = asyncio.get_running_loop().create_task(pulse())
        ticks = len(agent.documents)
        desired = agent.loop.desired
        await abuse(path)
        await asyncio.sleep(0.05)  # as long as a few ticks take
        ticking.cancel()
        assert len(agent.documents) - ticks >= 3
        assert max(gaps) < 2.0  # of the 30 s after which the watchdog would end it
        assert agent.loop.desired is desired
    assert agent.loop.bugs == 0
