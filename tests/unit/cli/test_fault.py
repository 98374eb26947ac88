import json

import pytest

from inferagent.adapters.clock import BootClock
from inferagent.adapters.fault_file import FaultFile
from inferagent.model.fault_sheet import FaultRow, FaultSheet
from inferagent.model.saved import Fault
from inferagent.runtime.control import Answer

ROW = FaultRow(
    "GPU-1",
    1,
    "0000:01:00",
    "lost",
    "GPU 1 fell off the bus (XID 79, 12:03:11)",
    "sudo systemctl reboot",
    250.0,
)
TABLE = """\
gpu            fault            since
1              lost             4 min 10 s ago
  GPU 1 fell off the bus (XID 79, 12:03:11)
  → sudo systemctl reboot
"""


def test_the_list_is_a_table_of_faults_with_their_cures(agent, run_command):
    agent.sheet = FaultSheet((ROW,))
    result = run_command("fault", "list", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, TABLE)


def test_a_host_without_faults_says_so_and_what_it_does_not_read(agent, run_command):
    assert run_command("fault", "list", "--config", agent.folder).stdout == "no fault stands\n"
    agent.sheet = FaultSheet((), "cannot read /dev/kmsg: Permission denied")
    result = run_command("fault", "list", "--config", agent.folder)
    last = "the kernel's log is not read: cannot read /dev/kmsg: Permission denied\n"
    assert result.stdout == f"no fault stands\n{last}"


def test_the_list_is_a_document_too(agent, run_command):
    agent.sheet = FaultSheet((ROW,))
    document = json.loads(run_command("fault", "list", "--json", "--config", agent.folder).stdout)
    assert document["schema"] == 1
    assert document["faults"][0]["gpu"] == "GPU-1"


@pytest.fixture
def silent(tmp_path):
    """A host whose agent does not run."""
    (tmp_path / "config.toml").write_text(f'[agent]\nrun = "{tmp_path}/run"\n')
    (tmp_path / "run").mkdir()
    return tmp_path


def test_without_an_agent_the_files_are_read_and_that_is_said(silent, run_command):
    boot = BootClock().boot()
    FaultFile(silent / "run").keep((Fault(boot, "GPU-1", "lost", ROW.text, 5.0, index=1),))
    result = run_command("fault", "list", "--config", silent)
    assert result.exit_code == 0
    assert ROW.text in result.stdout
    assert result.stderr.startswith("the agent does not run: this is what it and the GPU probe have left\n")
    document = json.loads(run_command("fault", "list", "--json", "--config", silent).stdout)
    assert document["faults"][0]["code"] == "lost"


def test_where_nobody_can_tell_the_command_is_3(silent, run_command):
    (silent / "run" / "faults.json").mkdir()
    result = run_command("fault", "list", "--config", silent)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "cannot read the faults in" in result.stderr


@pytest.mark.parametrize("there", [True, False])
def test_before_any_agent_has_run_nobody_can_tell(silent, run_command, there):
    if not there:
        (silent / "run").rmdir()
    result = run_command("fault", "list", "--config", silent)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "cannot tell whether a GPU fault stands: neither the agent nor the GPU probe" in result.stderr


def test_a_word_reaches_the_agent(agent, run_command):
    agent.answer = Answer(True, "cleared: GPU 1 fell off the bus")
    result = run_command("fault", "clear", "1", "--config", agent.folder)
    assert (result.exit_code, result.stdout) == (0, "cleared: GPU 1 fell off the bus\n")
    assert run_command("fault", "clear", "--all", "--config", agent.folder).exit_code == 0
    assert agent.asked == [("clear fault", "1"), ("clear fault", "")]


def test_a_refusal_is_1_and_no_agent_is_3(agent, silent, run_command):
    agent.answer = Answer(False, "cannot clear 7: no fault of such a GPU stands", "inferagent fault list")
    result = run_command("fault", "clear", "7", "--config", agent.folder)
    assert result.exit_code == 1
    assert "inferagent fault list" in result.stderr
    assert run_command("fault", "clear", "1", "--config", silent).exit_code == 3


@pytest.mark.parametrize("words", [[], ["1", "--all"], [" "]])
def test_what_is_to_be_cleared_must_be_said(agent, run_command, words):
    assert run_command("fault", "clear", *words, "--config", agent.folder).exit_code == 2
    assert agent.asked == []
