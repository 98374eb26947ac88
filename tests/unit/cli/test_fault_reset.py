"""`inferagent fault reset`: the socket that resets, and the faults that it cures."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inferagent.cli.fault import LATER
from inferagent.model.fault_sheet import FaultRow, FaultSheet
from inferagent.policy.faults import RESET
from inferagent.runtime.control import Answer

LOST = FaultRow("GPU-1", 1, "0000:01:00", "lost", "GPU 1 fell off the bus", "sudo systemctl reboot", 9.0)
ECC = FaultRow("GPU-2", 2, "0000:02:00", "ecc", "GPU 2 has a memory error", RESET, 9.0)
AGAIN = FaultRow("GPU-2", 2, "0000:02:00", "reset-required", "GPU 2 wants a reset", RESET, 9.0)


@dataclass
class Verb:
    """The socket of the verb, in `folder`; answers once a call, and counts."""

    folder: Path
    answer: dict[str, object] = field(default_factory=lambda: {"ok": True, "message": "All done."})
    calls: int = 0


@pytest.fixture
def verb(agent, monkeypatch: pytest.MonkeyPatch) -> Iterator[Verb]:
    made = Verb(agent.folder / "verbs")
    made.folder.mkdir()
    monkeypatch.setenv("INFERAGENT_VERBS", str(made.folder))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(made.folder / "gpu-reset.sock"))
        listener.listen()
        thread = threading.Thread(target=_answer, args=(made, listener))
        thread.start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10.0)
        assert not thread.is_alive()


def _answer(verb: Verb, listener: socket.socket) -> None:
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        verb.calls += 1
        with link:
            link.sendall(json.dumps(verb.answer).encode() + b"\n")


def test_what_a_reset_cures_is_cleared_once_and_nothing_else(agent, verb, run_command):
    agent.sheet, agent.answer = FaultSheet((LOST, ECC, AGAIN)), Answer(True, "cleared: GPU 2 has an error")
    result = run_command("fault", "reset", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, "All done.\ncleared: GPU 2 has an error\n")
    assert (verb.calls, agent.asked) == (1, [("clear fault", "GPU-2")])


def test_a_refused_reset_clears_nothing(agent, verb, run_command):
    agent.sheet = FaultSheet((ECC,))
    verb.answer = {"ok": False, "message": "cannot reset the GPUs: ollama.service runs", "refused": True}
    result = run_command("fault", "reset", "--config", agent.folder)
    assert (result.exit_code, result.stderr) == (
        1,
        f"cannot reset the GPUs: ollama.service runs\n  → {LATER}\n",
    )
    assert agent.asked == []


def test_without_such_a_fault_no_gpu_is_touched(agent, verb, run_command):
    agent.sheet = FaultSheet((LOST,))
    result = run_command("fault", "reset", "--config", agent.folder)
    assert result.exit_code == 1
    assert "no fault stands that a reset would cure" in result.stderr
    assert (verb.calls, agent.asked) == (0, [])


def test_where_there_is_no_socket_its_name_is_the_cure(agent, verb, run_command):
    agent.sheet = FaultSheet((ECC,))
    (verb.folder / "gpu-reset.sock").unlink()
    result = run_command("fault", "reset", "--config", agent.folder)
    assert result.exit_code == 1
    assert "sudo systemctl enable --now inferagent-verb-gpu-reset.socket" in result.stderr


def test_without_an_agent_no_gpu_is_reset(tmp_path, run_command):
    (tmp_path / "config.toml").write_text(f'[agent]\nrun = "{tmp_path}/run"\n')
    result = run_command("fault", "reset", "--config", tmp_path)
    assert result.exit_code == 3
    assert "cannot reach the agent" in result.stderr
