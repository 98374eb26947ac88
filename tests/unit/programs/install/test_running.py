"""The whole way of an order: lock, plan, fetch, switch within a drain, and what is left to a person."""

import fcntl
import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.agent_door import Door, opened
from tests.support.install_host import InstallHost, packed, says
from tests.support.releases import Releases, serving

from inferagent.config.fragments import DEFAULT_FOLDER
from inferagent.programs.install.cloudflared_packages import CloudflaredPackages
from inferagent.programs.install.cloudflared_release import CloudflaredRelease
from inferagent.programs.install.running import Order, installer_of
from inferagent.programs.install.vllm_image import VllmImage
from inferagent.programs.install.vllm_venv import VllmVenv

CONFIG = """mode = "act"
[agent]
run = "{run}"
[[engine]]
kind = "ollama"
url = "http://127.0.0.1:11434"
unit = "ollama.service"
serves = {{ a = "a" }}
[connector]
unit = "cloudflared.service"
hostname = "a.example.com"
[membership]
kind = "pull"
"""


class Systemd:
    def __init__(self) -> None:
        self.done: list[str] = []

    def perform(self, unit: str, verb: str) -> None:
        self.done.append(f"{verb} {unit}")

    def runs(self, unit: str) -> bool:
        return bool(unit)


@pytest.fixture
def releases() -> Iterator[Releases]:
    with serving(Releases()) as served:
        yield served


@pytest.fixture
def host(tmp_path: Path, releases: Releases) -> InstallHost:
    """An Ollama 0.1.0 is installed, and its agent is configured."""
    made = InstallHost(tmp_path / "host")
    made.sources(f'[ollama]\nreleases = "{releases.url}"\n')
    publish(releases, "0.1.0")
    assert made.install("ollama") == 0, made.said
    publish(releases, "0.2.0")
    (made.config / "config.toml").write_text(CONFIG.format(run=tmp_path / "r"))
    return made


def publish(releases: Releases, version: str) -> None:
    content, folder = packed({"bin/ollama": says(version)}), f"/download/v{version}"
    releases.files[f"{folder}/ollama-linux-amd64.tgz"] = content
    line = f"{hashlib.sha256(content).hexdigest()}  ollama-linux-amd64.tgz\n"
    releases.files[f"{folder}/sha256sum.txt"] = line.encode()
    releases.leads["/latest"] = f"/tag/v{version}"


def in_use(host: InstallHost) -> str:
    return str((host.parts / "ollama" / "current").readlink())


def test_an_upgrade_and_the_way_back_run_inside_a_drain(host, tmp_path):
    units = Systemd()
    with opened(Door(tmp_path / "r")) as door:
        assert host.install("ollama", units=units) == 0, host.said
        assert in_use(host) == "0.2.0"
        assert host.words[-1] == "this host serves again"
        assert door.paths == ["/v1/drain", "/v1/resume"]
        assert door.orders[0][1]["reason"] == "install ollama 0.2.0"
        assert host.install("ollama", units=units, rollback=True) == 0
        assert in_use(host) == "0.1.0"
        assert door.paths == ["/v1/drain", "/v1/resume"] * 2
    assert units.done == ["stop ollama.service"] * 2


def test_the_last_endpoint_is_not_taken_out(host, tmp_path):
    with opened(Door(tmp_path / "r", refuses=True)) as door:
        assert host.install("ollama", units=Systemd()) == 1
        assert host.words[-1].endswith(f"→ sudo inferagent install ollama --config {host.config} --last")
        assert in_use(host) == "0.1.0"
        assert host.install("ollama", units=Systemd(), last=True) == 0, "what was fetched is still there"
        assert door.phase == "serving"
    assert "fetching" not in host.said


def test_a_host_that_does_not_come_back_is_told_the_way_back(host, releases, tmp_path):
    host.sources(f'[ollama]\nreleases = "{releases.url}"\n', **{"return": "200ms"})
    with opened(Door(tmp_path / "r", ill=True)):
        assert host.install("ollama", units=Systemd()) == 1
    back = f"sudo inferagent install ollama --rollback --config {host.config}"
    assert host.words[-1].endswith(f"→ inferagent status, or {back}")


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_leaves_no_hold_behind(host, tmp_path, which):
    class Told(Systemd):
        def perform(self, unit: str, verb: str) -> None:
            os.kill(os.getpid(), which)

    usual = signal.signal(which, signal.SIG_DFL)  # what begins the tests may have it ignored
    try:
        with opened(Door(tmp_path / "r")) as door:
            with pytest.raises(SystemExit):
                host.install("ollama", units=Told())
            assert door.paths == ["/v1/drain", "/v1/resume"]
        assert in_use(host) == "0.1.0"
        assert signal.getsignal(which) is signal.SIG_DFL
    finally:
        signal.signal(which, usual)


def test_without_an_agent_the_restart_is_left_to_a_person(host):
    assert host.install("ollama", units=Systemd()) == 0
    assert host.words[-1].startswith("left to you: sudo systemctl restart ollama.service")


def test_a_host_without_configuration_is_told_where_it_lies_and_what_comes_then(host):
    assert host.install("ollama", plan_only=True) == 0
    assert "then: " not in host.said
    (host.config / "config.toml").unlink()
    assert host.install("ollama") == 0
    where = host.parts / "ollama" / "current" / "bin" / "ollama"
    assert where.is_file()
    then = f"then: sudo inferagent setup --config {host.config}"
    assert host.words[-2:] == [f"ollama 0.2.0 is installed (before: 0.1.0): {where}", then]


def test_who_is_not_root_is_told_to_repeat_all_that_was_typed(host):
    host.uid = 1000
    assert host.install("ollama", typed="ollama --config X") == 1
    assert host.said.endswith("only root may → sudo inferagent install ollama --config X")


def test_the_command_to_repeat_is_the_one_that_was_typed():
    assert Order("vllm", DEFAULT_FOLDER).again == "sudo inferagent install vllm"
    assert Order("vllm", DEFAULT_FOLDER, rollback=True).again == "sudo inferagent install vllm --rollback"
    assert Order("vllm", DEFAULT_FOLDER, typed="vllm --yes").again == "sudo inferagent install vllm --yes"


def test_a_broken_configuration_of_the_agent_stops_before_the_switch(host):
    (host.config / "config.toml").write_text("mode = ")
    assert host.install("ollama") == 78
    assert in_use(host) == "0.1.0"
    (host.config / "config.toml").write_text(CONFIG.format(run="/nowhere").replace("pull", "push"))
    assert host.install("ollama") == 78


def test_wrong_sources_are_named_with_file_and_line(host):
    host.sources('[vllm]\nversoin = "1"\n')
    assert host.install("ollama") == 78
    assert "install.toml:14: vllm.versoin: is no key of install.toml" in host.said


def test_one_at_a_time(host):
    with (host.parts / ".install.lock").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert host.install("ollama") == 1
        assert "another install runs" in host.said
        assert host.install("ollama", plan_only=True) == 0


def test_a_plan_and_a_no_change_nothing_on_the_way_back(host):
    assert host.install("ollama") == 0
    assert host.install("ollama", rollback=True, plan_only=True) == 0
    assert host.said == "go back from ollama 0.2.0 to 0.1.0"
    assert host.install("ollama", rollback=True, confirm=lambda: False) == 1
    assert in_use(host) == "0.2.0"


def test_whose_installer_it_is(host):
    host.program("apt-get")
    assert isinstance(installer_of("cloudflared", host.tools()), CloudflaredPackages)
    release = {"cloudflared": {"source": "release"}}
    assert isinstance(installer_of("cloudflared", host.tools(release)), CloudflaredRelease)
    assert isinstance(installer_of("vllm", host.tools()), VllmVenv)
    assert isinstance(installer_of("vllm", host.tools({"vllm": {"source": "image"}})), VllmImage)
