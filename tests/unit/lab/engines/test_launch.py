"""Command lines for stand-ins and for real programs."""

import sys
from pathlib import Path

from inferagent.lab.engines import launch
from inferagent.lab.engines.vllm_options import parse


def test_a_stand_in_runs_in_this_python():
    command = launch.vllm(8123, "chat", ("--max-num-seqs", "4"))
    assert command[:3] == [sys.executable, "-m", "inferagent.lab.engines.vllm"]
    options = parse(command[3:], "1")
    assert (options.port, options.names, options.max_num_seqs) == (8123, ["chat"], 4)
    assert launch.ollama("serve")[2:] == ["inferagent.lab.engines.ollama", "serve"]


def test_a_real_one_is_named_and_gets_what_a_cpu_needs():
    command = launch.vllm(8123, "chat", program="/opt/vllm", model="/m")
    assert command[:3] == ["/opt/vllm", "serve", "/m"]
    assert "float32" in command
    assert launch.ollama("create", "chat", program="/opt/ollama") == ["/opt/ollama", "create", "chat"]


def test_ollama_is_told_its_place():
    environment = launch.ollama_environment(8123, Path("/m"))
    assert (environment["OLLAMA_HOST"], environment["OLLAMA_MODELS"]) == ("127.0.0.1:8123", "/m")
