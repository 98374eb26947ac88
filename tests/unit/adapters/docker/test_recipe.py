"""What the daemon is asked to make, as data."""

import grp

import pytest

from inferagent.adapters.docker.container import LABEL
from inferagent.adapters.docker.recipe import AMD_GROUPS, DIGEST, Recipe, amd_groups, body, devices_here

IMAGE = "vllm/vllm-openai@sha256:" + "a" * 64


def test_an_nvidia_host_gives_all_its_gpus():
    made = body(Recipe(IMAGE, ("--model", "m"), (("HF_HOME", "/x"),), "nvidia", volumes=("/a:/b",)))
    assert (made["Image"], made["Cmd"], made["Env"]) == (IMAGE, ["--model", "m"], ["HF_HOME=/x"])
    host = made["HostConfig"]
    assert host["DeviceRequests"] == [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]
    assert (host["NetworkMode"], host["IpcMode"], host["Binds"]) == ("host", "host", ["/a:/b"])
    assert host["RestartPolicy"] == {"Name": "no"}, "two would restart it"


def test_or_those_that_are_named():
    (asked,) = body(Recipe(IMAGE, devices="nvidia", gpus=(0, 2)))["HostConfig"]["DeviceRequests"]
    assert asked["DeviceIDs"] == ["0", "2"]
    assert "Count" not in asked, "the daemon takes one of the two only"


def test_an_amd_host_gives_its_devices_and_groups():
    host = body(Recipe(IMAGE, devices="amd"), groups=("44", "105"))["HostConfig"]
    assert [each["PathOnHost"] for each in host["Devices"]] == ["/dev/kfd", "/dev/dri"]
    assert host["GroupAdd"] == ["44", "105"]
    assert "DeviceRequests" not in host


def test_without_a_gpu_it_gets_no_device():
    host = body(Recipe(IMAGE))["HostConfig"]
    assert not {"Devices", "DeviceRequests", "GroupAdd"} & set(host)


@pytest.mark.parametrize(
    ("publish", "address", "port"), [("127.0.0.1:8000", "127.0.0.1", "8000"), ("[::1]:80", "::1", "80")]
)
def test_a_published_port(publish, address, port):
    made = body(Recipe(IMAGE, publish=publish))
    assert made["HostConfig"]["PortBindings"] == {f"{port}/tcp": [{"HostIp": address, "HostPort": port}]}
    assert made["ExposedPorts"] == {f"{port}/tcp": {}}
    assert "NetworkMode" not in made["HostConfig"]


def test_its_label_tells_one_description_from_another():
    one, other = (body(Recipe(IMAGE, command))["Labels"][LABEL] for command in ((), ("--x",)))
    assert one != other
    assert body(Recipe(IMAGE))["Labels"][LABEL] == one


@pytest.mark.parametrize("image", ["vllm/vllm-openai:latest", "vllm", "vllm@sha256:short", f"-{IMAGE}"])
def test_a_tag_is_no_digest(image):
    assert DIGEST.fullmatch(IMAGE)
    assert not DIGEST.fullmatch(image)


def test_groups_go_by_the_hosts_own_numbers():
    here = [str(each.gr_gid) for name in AMD_GROUPS for each in grp.getgrall() if each.gr_name == name]
    assert list(amd_groups()) == here


def test_what_auto_means(tmp_path):
    assert devices_here(tmp_path) == "none"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kfd").touch()
    assert devices_here(tmp_path) == "amd"
    (tmp_path / "dev/nvidiactl").touch()
    assert devices_here(tmp_path) == "nvidia"
