"""The program itself: started as systemd starts it, against a stand-in daemon."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.fake_docker import fake_docker

from inferagent.programs.container import socket_of


@pytest.fixture
def daemon(tmp_path):
    with fake_docker(tmp_path) as made:
        yield made


def start(daemon, tmp_path, *words):
    environ = {**os.environ, "DOCKER_HOST": f"unix://{daemon.socket}", "RUNTIME_DIRECTORY": str(tmp_path)}
    argv = [sys.executable, "-m", "inferagent.programs.container", *words, "--config", str(tmp_path)]
    return subprocess.Popen(argv, env=environ, stderr=subprocess.PIPE, text=True)


def test_it_lives_as_long_as_the_container_and_stops_it(daemon, tmp_path):
    daemon.add(policy="always")
    process = start(daemon, tmp_path, "vllm")
    end = time.monotonic() + 20.0
    while not (tmp_path / "vllm.json").exists():
        assert time.monotonic() < end, process.communicate(timeout=1)[1]
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert daemon.containers["vllm"].status == "exited"
    assert daemon.containers["vllm"].policy == "no"


def test_it_ends_as_the_container_ends(daemon, tmp_path):
    daemon.add(status="exited", code=7)
    daemon.says["/start"] = (204, b"")
    process = start(daemon, tmp_path, "vllm")
    _, said = process.communicate(timeout=20)
    assert (process.returncode, "exit code 7" in said) == (1, True), said


def test_a_wrong_configuration_is_said_before_anything_is_touched(daemon, tmp_path):
    (tmp_path / "config.toml").write_text('[[engine]]\nimage = "vllm:latest"\n')
    process = start(daemon, tmp_path, "vllm")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 78
    assert "must be an image by digest" in said
    assert daemon.asked == []


@pytest.mark.parametrize("name", ["../x", "", "-x"])
def test_what_is_no_name(daemon, tmp_path, name):
    process = start(daemon, tmp_path, "--", name)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 78 or "usage" in said


def test_only_a_daemon_of_this_host():
    assert socket_of({}) == Path("/run/docker.sock")
    assert socket_of({"DOCKER_HOST": "unix:///run/user/1/docker.sock"}) == Path("/run/user/1/docker.sock")
    with pytest.raises(ValueError, match="only a daemon of this host"):
        socket_of({"DOCKER_HOST": "tcp://10.0.0.1:2375"})
