"""The ready program as systemd starts it: which engine's port it looks at stands in the verdict."""

import pytest
from tests.unit.programs.ready_bench import listening

from inferagent.adapters.clock import BootClock
from inferagent.adapters.verdict_file import VerdictFile
from inferagent.programs import ready


def test_the_verdict_names_the_engine_where_the_command_line_does_not(tmp_path):
    codes = []
    with listening() as door, listening() as engine:
        server = ready.Server(str(tmp_path), door, "")
        VerdictFile(tmp_path, BootClock(), f"127.0.0.1:{engine.getsockname()[1]}").write(True, "serving")
        for _ in range(4):
            server.look()
            for key, _ in server.selector.select(0.2):
                key.data()
            codes.append(int(server.answer(b"GET /.inferagent/ready HTTP/1.1\r\n\r\n").split()[1]))
            engine.close()
        server.selector.close()
    assert codes == [200, 200, 503, 503]


@pytest.mark.parametrize("engine", ["", "nonsense", "127.0.0.1:x", "no-such-host.invalid:1"])
def test_a_verdict_without_a_usable_engine_is_answered_as_it_is(tmp_path, engine):
    with listening() as door:
        server = ready.Server(str(tmp_path), door, "")
        VerdictFile(tmp_path, BootClock(), engine).write(True, "serving")
        for _ in range(3):
            server.look()
        answer = server.answer(b"GET /.inferagent/ready HTTP/1.1\r\n\r\n")
        server.selector.close()
    assert answer.split()[1] == b"200"
