"""The maintainer scripts, run on a disk of their own, with programs that write down what they are asked."""

import os
import re
import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
NOTED = ["systemctl", "deb-systemd-helper", "deb-systemd-invoke", "systemd-sysusers", "systemd-tmpfiles"]
NOTED += ["userdel", "groupdel", "getent"]
READY = "usr/lib/inferagent/lib/inferagent/programs/ready.py"
UNIT = "usr/lib/systemd/system/inferagent-ready.service"
HANDS_OFF = ("engine", "connector", "ready.socket")


class Disk:
    """`disk(script, words…)` runs a script there; it returns what was called."""

    def __init__(self, root):
        self.root, self.log = root, root / "log"
        for name in NOTED:
            self.put(f"bin/{name}", f'#!/bin/sh\necho "{name} $*" >>{self.log}\n').chmod(0o755)
        self.put("usr/lib/inferagent/python", f'#!/bin/sh\necho "python $*" >>{self.log}\n').chmod(0o755)
        self.put("usr/lib/inferagent/program", f'#!/bin/sh\necho "program $*" >>{self.log}\n').chmod(0o755)
        self.put(READY, "1\n")
        self.put(UNIT, "1\n")
        self.put("usr/lib/inferagent/lib/inferagent/__pycache__/a.pyc", "")
        (root / "run/systemd/system").mkdir(parents=True)

    def put(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def there(self, name):
        return os.path.lexists(self.root / name)

    def __call__(self, script, *words):
        text = (PACKAGING.parent / script).read_text()
        for top in (
            "/usr/lib/",
            "/usr/share/",
            "/run/",
            "/etc/",
            "/var/",
            "/opt/",
            "/usr/local/",
            "/usr/sbin/",
            "/usr/bin/",
        ):
            text = text.replace(f" {top}", f" {self.root}{top}").replace(f"={top}", f"={self.root}{top}")
            text = text.replace(f"'{top}", f"'{self.root}{top}")
        code = [line for line in text.splitlines() if not line.startswith("#")]
        real = re.findall(r"(?<=[\s='\"])/(?:etc|opt|run|usr|var)/\S*", "\n".join(code))
        assert real == [], f"would touch this machine: {real}"
        self.log.write_text("")
        path = f"{self.root}/bin:/usr/bin:/bin"
        subprocess.run(
            ["/bin/sh", "-c", text, script, *words], env={"PATH": path}, check=True, stderr=subprocess.DEVNULL
        )
        return self.log.read_text()


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path)


def upgrade(disk, kind):
    """What an upgrade calls, the files being replaced between its two scripts."""
    if kind == "deb":
        disk("deb/preinst", "upgrade", "0.0.1")
        return lambda: disk("deb/postinst", "configure", "0.0.1")
    disk("rpm/pre", "2")
    return lambda: disk("rpm/post", "2")


kinds = pytest.mark.parametrize("kind", ["deb", "rpm"])


@pytest.mark.parametrize(("script", "words"), [("deb/postinst", ["configure", ""]), ("rpm/post", ["1"])])
def test_a_fresh_package_makes_users_and_starts_agent_and_ready_socket(disk, script, words):
    called = disk(script, *words)
    order = [
        "systemd-sysusers inferagent.conf",
        "systemd-tmpfiles",
        "compileall",
        "daemon-reload",
        "start infer",
    ]
    places = [called.index(each) for each in order]
    assert places == sorted(places)
    assert "inferagent-ready.socket" in called
    assert "inferagent.service" in called
    assert "restart" not in called
    assert not disk.there("usr/lib/inferagent/lib/inferagent/__pycache__")


def test_debian_enables_the_agent_and_the_ready_socket_alone(disk):
    lines = disk("deb/postinst", "configure", "").splitlines()
    asked = {line.split()[-1] for line in lines if line.startswith("deb-systemd-helper")}
    assert asked == {"inferagent.service", "inferagent-ready.socket"}


def test_rpm_enables_by_preset_and_only_when_new(disk):
    assert "systemctl preset inferagent.service inferagent-ready.socket" in disk("rpm/post", "1")
    assert "systemctl preset" not in disk("rpm/post", "2")
    preset = PACKAGING / "root/usr/lib/systemd/system-preset/80-inferagent.preset"
    assert "enable inferagent.service\nenable inferagent-ready.socket\n" in preset.read_text()


@kinds
def test_an_upgrade_restarts_the_agent_and_the_probe_if_they_run(disk, kind):
    called = upgrade(disk, kind)()
    assert "try-restart inferagent.service" in called
    assert "--no-block try-restart inferagent-probe.service" in called
    restarted = [line for line in called.splitlines() if "start" in line]
    assert not [line for line in restarted if any(unit in line for unit in (*HANDS_OFF, "ready.service"))]
    assert not disk.there("run/inferagent-package.ready")


@kinds
@pytest.mark.parametrize("changed", [READY, UNIT])
def test_a_changed_ready_program_is_restarted_but_never_its_socket(disk, kind, changed):
    end = upgrade(disk, kind)
    disk.put(changed, "2\n")
    called = end()
    assert "try-restart inferagent-ready.service" in called
    assert "ready.socket" not in "".join(line for line in called.splitlines() if "start" in line)


@kinds
def test_an_upgrade_that_was_broken_off_still_knows_what_runs(disk, kind):
    upgrade(disk, kind)
    disk.put(READY, "2\n")
    assert "try-restart inferagent-ready.service" in upgrade(disk, kind)()


@kinds
def test_where_systemd_does_not_run_nothing_is_started(disk, kind):
    (disk.root / "run/systemd/system").rmdir()
    called = disk("deb/postinst", "configure", "") if kind == "deb" else disk("rpm/post", "1")
    assert "start" not in called.replace("restart", "")
    assert "systemd-sysusers" in called


@pytest.mark.parametrize(("script", "words"), [("deb/prerm", ["remove"]), ("rpm/preun", ["0"])])
def test_a_removal_leaves_the_pool_before_it_stops_anything(disk, script, words):
    assert "shutdown_drain" not in disk(script, *words), "an unconfigured host is in no pool"
    disk.put("etc/inferagent/config.toml", "")
    called = disk(script, *words)
    order = ["program shutdown_drain --now", "stop inferagent.service", "program setup.leaving", "stop infer"]
    places = [called.index(each) for each in order[:-1]] + [called.rindex(order[-1])]
    assert places == sorted(places)
    assert not disk.there("usr/lib/inferagent/lib/inferagent/__pycache__")


@pytest.mark.parametrize(("script", "words"), [("deb/prerm", ["upgrade", "2"]), ("rpm/preun", ["1"])])
def test_the_old_package_stops_nothing_in_an_upgrade(disk, script, words):
    disk.put("etc/inferagent/config.toml", "")
    assert disk(script, *words) == ""


def test_a_new_python_gets_its_byte_code(disk):
    assert disk("deb/postinst", "triggered", "/usr/bin/python3.13").startswith("python -m compileall")


OURS = ["etc/inferagent/config.toml", "var/lib/inferagent/state.json", "run/inferagent/control.sock"]
OURS += ["etc/systemd/system/inferagent.service.d/own.conf", "opt/inferagent/ollama/0.1/ollama"]


def fill(disk):
    for name in OURS:
        disk.put(name, "")
    for link, target in {
        "etc/systemd/system/multi-user.target.wants/inferagent-engine.service": "/usr/lib/systemd/system/x",
        "usr/local/bin/ollama": f"{disk.root}/opt/inferagent/ollama/bin/ollama",
        "usr/local/bin/mine": "/bin/true",
    }.items():
        disk.put(link, "").unlink()
        (disk.root / link).symlink_to(target)


@pytest.mark.parametrize("systemd", [True, False])
def test_a_purge_leaves_nothing_of_ours_systemd_or_not(disk, systemd):
    fill(disk)
    if not systemd:
        (disk.root / "run/systemd/system").rmdir()
    called = disk("deb/postrm", "purge")
    assert not [name for name in OURS if disk.there(name)]
    assert not disk.there("etc/systemd/system/multi-user.target.wants/inferagent-engine.service")
    assert not disk.there("usr/local/bin/ollama")
    assert disk.there("usr/local/bin/mine")
    assert "deb-systemd-helper purge inferagent.service inferagent-ready.socket" in called
    for user in ("inferagent", "inferagent-connector", "inferagent-engine"):
        assert f"userdel {user}\n" in called
    assert ("daemon-reload" in called) == systemd


def test_a_purge_gives_an_adopted_connector_back_as_it_was(disk):
    """Else its unit would ask for a token file that is gone, and never start again."""
    disk.put("etc/systemd/system/cloudflared.service.d/50-inferagent.conf", "")
    disk.put("etc/systemd/system/cloudflared-web.service.d/50-inferagent.conf", "")
    disk.put("etc/systemd/system/cloudflared-web.service.d/own.conf", "")
    disk("deb/postrm", "purge")
    assert not disk.there("etc/systemd/system/cloudflared.service.d")
    assert not disk.there("etc/systemd/system/cloudflared-web.service.d/50-inferagent.conf")
    assert disk.there("etc/systemd/system/cloudflared-web.service.d/own.conf")


def test_models_of_the_engine_outlive_a_purge_with_their_user(disk):
    disk.put("var/lib/inferagent-engine/models/large", "")
    called = disk("deb/postrm", "purge")
    assert disk.there("var/lib/inferagent-engine/models/large")
    assert "userdel inferagent-engine" not in called
    assert "userdel inferagent\n" in called


@pytest.mark.parametrize(("script", "words"), [("deb/postrm", ["remove"]), ("rpm/postun", ["0"])])
def test_a_removal_keeps_configuration_and_state(disk, script, words):
    fill(disk)
    called = disk(script, *words)
    assert all(disk.there(name) for name in OURS[:2])
    assert "daemon-reload" in called
    assert "userdel" not in called


@pytest.mark.parametrize("script", ["postinst", "postrm", "preinst", "prerm"])
def test_debian_calls_it_with_words_that_it_need_not_know(disk, script):
    assert "stop" not in disk(f"deb/{script}", "failed-upgrade", "0.0.1")
