"""A container made from the configuration, and one that is somebody else's left alone."""

from dataclasses import replace

import pytest
from tests.support.fake_docker import fake_docker

from inferagent.adapters.docker.container import LABEL
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.recipe import Recipe, body
from inferagent.programs.container_make import CannotMakeError, make, prepare, wanted

IMAGE = "vllm/vllm-openai@sha256:" + "a" * 64
RECIPE = Recipe(IMAGE, ("--model", "m"))
CONFIG = """
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
unit = "inferagent-container@vllm.service"
image = "{}"
command = ["--model", "m"]
environment = {{ HF_HOME = "/x" }}
devices = "nvidia"
gpus = [0]
volumes = ["/a:/b:ro"]
publish = "127.0.0.1:8000"
serves = {{ chat = "chat" }}
[connector]
command = ["cloudflared"]
hostname = "a.example.com"
[membership]
kind = "pull"
"""


@pytest.fixture
def daemon(tmp_path):
    with fake_docker(tmp_path) as made:
        made.images.add(IMAGE)
        yield made


@pytest.fixture
def docker(daemon):
    return Docker(daemon.socket, answers=0.5)


def made(recipe):
    return {LABEL: body(recipe)["Labels"][LABEL]}


async def test_it_is_made_once(daemon, docker):
    await make(docker, "vllm", RECIPE)
    first = daemon.containers["vllm"].id
    await make(docker, "vllm", RECIPE)
    assert daemon.containers["vllm"].id == first


async def test_another_description_replaces_one_that_rests(daemon, docker):
    daemon.add(status="exited", labels=made(replace(RECIPE, command=())))
    old = daemon.containers["vllm"].id
    await make(docker, "vllm", RECIPE)
    assert daemon.containers["vllm"].id != old


async def test_but_not_one_that_runs(daemon, docker, capsys):
    daemon.add(labels=made(replace(RECIPE, command=())))
    old = daemon.containers["vllm"].id
    await make(docker, "vllm", RECIPE)
    assert daemon.containers["vllm"].id == old
    assert "it stays until it ends" in capsys.readouterr().err


async def test_one_of_somebody_else_is_left_alone(daemon, docker):
    daemon.add(status="exited")
    with pytest.raises(CannotMakeError, match="somebody's own"):
        await make(docker, "vllm", RECIPE)
    assert "vllm" in daemon.containers


async def test_an_image_that_is_not_there_is_not_fetched(daemon, docker):
    daemon.images.clear()
    with pytest.raises(CannotMakeError, match="sudo docker pull vllm/vllm-openai@sha256:a"):
        await make(docker, "vllm", RECIPE)
    assert daemon.containers == {}


async def test_the_configuration_says_all_of_it(docker, daemon, tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG.format(IMAGE))
    assert wanted("vllm", tmp_path) == Recipe(
        IMAGE, ("--model", "m"), (("HF_HOME", "/x"),), "nvidia", (0,), ("/a:/b:ro",), "127.0.0.1:8000"
    )
    assert wanted("other", tmp_path) is None
    assert await prepare(docker, "vllm", tmp_path) == 0
    asked = next(body for _, path, body in daemon.asked if path.startswith("/containers/create"))
    assert asked["HostConfig"]["DeviceRequests"][0]["DeviceIDs"] == ["0"]


async def test_a_tag_is_refused_with_the_cure(docker, daemon, tmp_path, capsys):
    (tmp_path / "config.toml").write_text(CONFIG.format("vllm/vllm-openai:latest"))
    assert await prepare(docker, "vllm", tmp_path) == 78
    assert "docker images --digests" in capsys.readouterr().err
    assert daemon.asked == []


async def test_a_daemon_that_is_away_is_waited_for_and_said(tmp_path, capsys):
    (tmp_path / "config.toml").write_text(CONFIG.format(IMAGE))
    assert await prepare(Docker(tmp_path / "away"), "vllm", tmp_path, patience=0.1) == 69
    assert "no docker daemon listens" in capsys.readouterr().err
