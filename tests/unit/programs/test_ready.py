import errno
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from tests.contract.units_bench import until
from tests.unit.programs.ready_bench import URL, ask, body, listening, verdict

from inferagent.programs import ready

PROGRAM = Path(ready.__file__)


class Ready:
    """The program as it is started, with its listening socket passed in as file descriptor 3."""

    def __init__(self, run: Path, engine: str) -> None:
        self.listener = listening()
        self.port = self.listener.getsockname()[1]
        argv = [sys.executable, "-I", "-S", "-B", str(PROGRAM), "--run", str(run), "--engine", engine]
        handle = self.listener.fileno()
        code = "import os,sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[2:])"
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code, str(handle), *argv], pass_fds=(handle,)
        )

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.listener.close()


@pytest.fixture
def engine():
    made = listening()
    yield made
    made.close()


@pytest.fixture
def program(tmp_path, engine):
    made = Ready(tmp_path, f"127.0.0.1:{engine.getsockname()[1]}")
    yield made
    made.end()


def test_no_verdict_is_503(program):
    answer = ask(program.port)
    assert answer[0] == 503
    assert body(answer) == {"ready": False, "phase": "unknown"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_verdict_is_what_is_answered(program, tmp_path, method):
    for wanted, phase, code in [(True, "joining", 200), (False, "draining", 503), (True, "serving", 200)]:
        verdict(tmp_path, wanted, phase)
        answer = ask(program.port, method=method)
        assert answer[0] == code
        if method == "GET":
            assert body(answer) == {"ready": wanted, "phase": phase}
        else:
            assert answer[1] == b""


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/.inferagent/ready/",
        "/.inferagent/readyx",
        "/x/.inferagent/ready",
        "/v1/models",
        "//.inferagent/ready",
    ],
)
def test_every_other_path_is_refused(program, tmp_path, target):
    verdict(tmp_path, True)
    assert ask(program.port, target)[0] == 404


def test_a_query_changes_nothing_and_other_methods_are_refused(program, tmp_path):
    verdict(tmp_path, True)
    assert ask(program.port, URL + "?x=1")[0] == 200
    assert ask(program.port, method="POST")[0] == 405


def test_the_answer_closes_and_is_not_to_be_kept(program):
    head = ask(program.port)[2].lower()
    assert b"connection: close" in head
    assert b"cache-control: no-store" in head


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 8000,
        b'{"boot": "another", "ready": true, "phase": "serving"}',
        b'{"ready": true, "phase": "serving"}',
    ],
)
def test_a_torn_verdict_or_one_of_another_boot_is_503(program, tmp_path, content):
    verdict(tmp_path, True)
    assert ask(program.port)[0] == 200
    (tmp_path / "verdict.json").write_bytes(content)
    assert ask(program.port)[0] == 503


async def test_a_verdict_whose_file_is_gone_stands_for_a_moment_only(program, tmp_path):
    verdict(tmp_path, True)
    assert ask(program.port)[0] == 200
    (tmp_path / "verdict.json").unlink()
    assert body(ask(program.port)) == {"ready": True, "phase": "serving"}
    await until(lambda: ask(program.port)[0] == 503, "503 as nobody writes it anew")
    assert body(ask(program.port)) == {"ready": False, "phase": "unknown"}
    verdict(tmp_path, True)
    assert ask(program.port)[0] == 200


def test_only_a_true_ready_is_ready(program, tmp_path):
    verdict(tmp_path, True)
    said = json.loads((tmp_path / "verdict.json").read_bytes()) | {"ready": "yes"}
    (tmp_path / "verdict.json").write_text(json.dumps(said))
    assert ask(program.port)[0] == 503


async def test_a_refusing_engine_turns_it_and_an_open_port_turns_it_back(program, tmp_path, engine):
    verdict(tmp_path, True)
    assert ask(program.port)[0] == 200
    port = engine.getsockname()[1]
    begun = time.monotonic()
    engine.close()
    await until(lambda: ask(program.port)[0] == 503, "503 while the port refuses")
    assert 0.9 < time.monotonic() - begun < 3.5  # two refusals, a second apart
    assert body(ask(program.port)) == {"ready": False, "phase": "serving"}
    with listening(port):
        await until(lambda: ask(program.port)[0] == 200, "200 once it accepts")


def refusals(address: tuple[str, int], times: int) -> int:
    """What the check of the port itself counts, in this process."""
    with selectors.DefaultSelector() as selector:
        port = ready.EnginePort(selector)
        port.point("{}:{}".format(*address))
        for _ in range(times):
            port.check()
            for key, _ in selector.select(0.1):
                key.data()
        port.close()
        return port.refusals


def test_an_engine_that_is_silent_is_not_one_that_refuses():
    with socket.socket() as full, ExitStack() as fillers:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(full.getsockname())
        assert refusals(full.getsockname(), 3) == 0


def test_a_port_is_open_if_any_of_its_addresses_is():
    with listening() as one:
        address = ("localhost", one.getsockname()[1])
        assert refusals(address, 3) == 0
    assert refusals(address, 3) == 3


def test_a_monitors_questions_are_counted_for_the_agent_and_by_the_next_program(program, tmp_path, engine):
    ask(program.port)
    assert not (tmp_path / "asked").exists()
    ask(program.port, "/other", agent="Cloudflare-Traffic-Manager/1.0")
    assert not (tmp_path / "asked").exists()
    ask(program.port, agent="Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0)")
    os.utime(tmp_path / "asked", (0, 0))
    ask(program.port, agent="Cloudflare-Traffic-Manager/1.0")
    assert (tmp_path / "asked").read_text() == "2"
    assert (tmp_path / "asked").stat().st_mtime > 0
    successor = Ready(tmp_path, "127.0.0.1:1")
    ask(successor.port, agent="Cloudflare-Traffic-Manager/1.0")
    successor.end()
    assert (tmp_path / "asked").read_text() == "3"


def test_slow_clients_keep_nobody_out(program, tmp_path):
    verdict(tmp_path, True)
    slow = [socket.create_connection(("127.0.0.1", program.port)) for _ in range(100)]
    for link in slow[:20]:
        with suppress(OSError):
            link.sendall(b"GET /")
    assert ask(program.port)[0] == 200
    handles = len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))
    assert handles < 90
    for link in slow:
        link.close()
    assert ask(program.port)[0] == 200


@pytest.mark.parametrize(
    "junk", [b"\r\n\r\n", b"\x16\x03\x01" * 10 + b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 20000]
)
def test_junk_is_answered_400_and_does_no_harm(program, tmp_path, junk):
    verdict(tmp_path, True)
    with socket.create_connection(("127.0.0.1", program.port), 3) as link:
        link.sendall(junk)
        with suppress(ConnectionResetError):
            assert link.recv(100).startswith(b"HTTP/1.1 400")
    assert ask(program.port)[0] == 200


def test_a_client_that_hangs_up_at_once_does_no_harm(program):
    for _ in range(50):
        socket.create_connection(("127.0.0.1", program.port)).close()
    assert ask(program.port)[0] == 503


async def test_it_introduces_itself_and_ends_when_asked(program, tmp_path):
    await until(lambda: (tmp_path / "ready.json").exists(), "ready.json")
    record = json.loads((tmp_path / "ready.json").read_bytes())
    assert (record["pid"], record["port"]) == (program.process.pid, program.port)
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(5) == 0


def test_it_is_small(program):
    ask(program.port)
    rollup = Path(f"/proc/{program.process.pid}/smaps_rollup").read_text()
    (pss,) = [int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")]
    assert pss < 12_000  # KiB


def test_wrong_usage_is_said():
    assert ready.main([]) == 2
    assert ready.main(["--engine", "127.0.0.1:1"]) == 2


def test_a_connection_to_oneself_is_no_engine():
    with socket.socket() as lonely:
        lonely.bind(("127.0.0.1", 0))
        lonely.connect(lonely.getsockname())  # what the kernel may do where nobody listens
        assert ready.is_own_echo(lonely)
    with listening() as other, socket.create_connection(other.getsockname()) as link:
        assert not ready.is_own_echo(link)
    with socket.socket() as unconnected:
        assert not ready.is_own_echo(unconnected)


def test_one_refusal_is_none_and_two_in_a_row_are(tmp_path):
    verdict(tmp_path, True)
    codes = []

    def look_and_ask() -> None:
        server.look()
        for key, _ in server.selector.select(0.2):
            key.data()
        codes.append(int(server.answer(b"GET /.inferagent/ready HTTP/1.1\r\n\r\n").split()[1]))

    with listening() as door, listening() as engine:
        address = engine.getsockname()
        server = ready.Server(str(tmp_path), door, "{}:{}".format(*address))
        look_and_ask()
        engine.close()
        for _ in range(3):
            look_and_ask()
        with listening(address[1]):
            look_and_ask()
        look_and_ask()
        server.selector.close()
    assert codes == [200, 200, 503, 503, 200, 200]


def test_an_error_on_the_way_is_no_refusal():
    with selectors.DefaultSelector() as selector:
        port = ready.EnginePort(selector)
        port.point("127.0.0.1:1")
        for code in (errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EMFILE):
            port.outcome(code)
        assert port.refusals == 0
