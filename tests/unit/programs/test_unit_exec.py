import os
import subprocess
import sys

import pytest

from inferagent.config.secrets import TUNNEL_TOKEN, Secret, write_secret
from inferagent.programs.unit_exec import CLOUDFLARED, CannotExecError, wanted

RIGHT = """
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
unit = "inferagent-engine.service"
command = ["/bin/sh", "-c", "echo $$ $GREETING $HOME"]
environment = { GREETING = "hello" }
serves = { chat = "chat" }
[connector]
unit = "inferagent-connector.service"
hostname = "a.example.com"
metrics = "127.0.0.1:20999"
[membership]
kind = "pull"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(RIGHT)
    return tmp_path


def start(folder, part):
    argv = [sys.executable, "-m", "inferagent.programs.unit_exec", part, "--config", str(folder)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    output, errors = process.communicate(timeout=30)
    return process, output, errors


def test_the_main_process_is_the_engine_itself(folder):
    process, output, _ = start(folder, "engine")
    assert output.split() == [str(process.pid), "hello", os.environ["HOME"]]


def test_the_connector_gets_its_token_as_the_name_of_a_file(folder):
    write_secret(TUNNEL_TOKEN, folder, Secret("abc"))
    command, environment = wanted("connector", folder, {"PATH": "/bin"})
    assert command == CLOUDFLARED
    assert environment["TUNNEL_TOKEN_FILE"] == str(folder / "credentials" / TUNNEL_TOKEN)
    assert environment["TUNNEL_METRICS"] == "127.0.0.1:20999"
    assert environment["PATH"] == "/bin"
    assert "abc" not in str((command, environment))


def test_what_systemd_hands_over_counts(folder, tmp_path):
    handed = tmp_path / "handed"
    handed.mkdir()
    (handed / TUNNEL_TOKEN).write_text("abc\n")
    _, environment = wanted("connector", folder, {"CREDENTIALS_DIRECTORY": str(handed)})
    assert environment["TUNNEL_TOKEN_FILE"] == str(handed / TUNNEL_TOKEN)


def test_a_connector_of_ones_own(folder):
    write_secret(TUNNEL_TOKEN, folder, Secret("abc"))
    own = 'command = ["mine", "run"]\nenvironment = { NO_AUTOUPDATE = "no" }\nhostname'
    (folder / "config.toml").write_text(RIGHT.replace("hostname", own))
    command, environment = wanted("connector", folder, {})
    assert command == ("mine", "run")
    assert environment["NO_AUTOUPDATE"] == "no"


def test_without_a_token_there_is_no_connector(folder):
    with pytest.raises(CannotExecError, match="no credential tunnel-token"):
        wanted("connector", folder, {})


def test_an_engine_of_another_unit_has_no_command_here(folder):
    other = RIGHT.replace("inferagent-engine.service", "vllm.service")
    (folder / "config.toml").write_text(
        "\n".join(line for line in other.splitlines() if not line.startswith(("command", "environment")))
    )
    with pytest.raises(CannotExecError, match="has no command"):
        wanted("engine", folder, {})


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[[engine]]\nkind = 1\n", 78, "config.toml"),
        ("", 78, "hostname"),
        (RIGHT.replace("/bin/sh", "/no/such/program"), 78, "cannot run /no/such/program: No such file"),
        (RIGHT.replace("/bin/sh", "/etc/passwd"), 78, "cannot run /etc/passwd: Permission denied"),
    ],
)
def test_what_cannot_be_run_is_said(folder, text, code, said):
    (folder / "config.toml").write_text(text)
    process, _, errors = start(folder, "engine")
    assert process.returncode == code
    assert said in errors
    assert "Traceback" not in errors


def test_what_cures_itself_is_tried_again(folder):
    program = folder / "upgraded"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (folder / "config.toml").write_text(RIGHT.replace("/bin/sh", str(program)))
    with program.open("a"):  # somebody is writing it at this moment
        process, _, errors = start(folder, "engine")
    assert (process.returncode, errors) == (126, f"cannot run {program}: Text file busy\n")


def test_an_unconfigured_host_has_nothing_to_run(tmp_path):
    process, _, errors = start(tmp_path, "engine")
    assert (process.returncode, errors) == (
        78,
        f"cannot run the engine: there is no configuration in {tmp_path}\n",
    )
