"""The unit files keep what the program says of itself; a booted host says whether systemd takes them."""

import configparser
import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from inferagent.adapters.units.verbs import ANSWERS, FOLDER
from inferagent.config import secrets
from inferagent.config.load import load
from inferagent.config.settings import OWN_CONNECTOR, OWN_ENGINE
from inferagent.model.decision import Pace
from inferagent.programs.helpers import PROBE, READY

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
VERBS = [(part, verb) for part in ("engine", "connector") for verb in ("start", "stop", "restart")]
CONTAINER = "inferagent-container@"  # whoever may speak to docker is root anyway
INSTALL = "inferagent-verb-install-"  # they have rights of their own: test_install_units.py
PROGRAM = "/usr/lib/inferagent/program"
RESET = "inferagent-verb-gpu-reset@.service"
# What a unit keeps, and what it is given: the kernel's log is read without root, a GPU reset by root alone.
RIGHTS: dict[str, tuple[set[str], set[str]]] = {
    PROBE: ({"CAP_SYSLOG"}, {"CAP_SYSLOG"}),
    RESET: ({"CAP_SYS_ADMIN"}, set()),
}
OF_ONES_OWN = ("ready.py", "/bin/true", "/usr/bin/inferagent")


class Unit:
    """A unit file, each key with all its values."""

    def __init__(self, name: str) -> None:
        self.values: dict[str, list[str]] = {}
        for line in (UNITS / name).read_text().splitlines():
            key, found, value = line.partition("=")
            if found and not line.startswith("#"):
                self.values.setdefault(key, []).append(value)

    def one(self, key: str) -> str:
        (found,) = self.values[key]
        return found

    def words(self, key: str) -> set[str]:
        return {word for value in self.values.get(key, []) for word in value.split()}


def test_each_program_is_there():
    for name in SERVICES:
        unit = Unit(name)
        for command in unit.values["ExecStart"] + unit.values.get("ExecStop", []):
            if command.startswith(PROGRAM):
                module = f"inferagent.programs.{command.split()[1]}"
                assert importlib.util.find_spec(module) is not None, f"{name}: {module}"
            else:
                assert any(word.endswith(OF_ONES_OWN) for word in command.split()), f"{name}: {command}"


@pytest.mark.parametrize("name", [name for name in SERVICES if not name.startswith(INSTALL)])
def test_nobody_gains_rights(name):
    unit = Unit(name)
    assert unit.one("NoNewPrivileges") == "yes"
    assert unit.one("ProtectSystem") == "strict"
    bounds, given = unit.words("CapabilityBoundingSet"), unit.words("AmbientCapabilities")
    assert (bounds, given) == RIGHTS.get(name, (set(), set()))
    devices = name in (PROBE, OWN_ENGINE, RESET)
    assert ("PrivateDevices" in unit.values) is not devices
    roots = name.startswith(("inferagent-verb-", CONTAINER))
    assert ("User" in unit.values) is not roots, "only a deed is root's, and docker's socket"


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_a_unit(name):
    text = (UNITS / name).read_text()
    assert not re.search(r"(?i)token\s*=\s*[A-Za-z0-9]{12}", text)
    assert "--token" not in text


def test_the_agent_gets_every_secret_that_it_reads():
    unit = Unit("inferagent.service")
    handed = {value.split(":")[0] for value in unit.values["LoadCredential"]}
    assert handed == {secrets.API_TOKEN, secrets.TUNNEL_TOKEN, secrets.NOTIFY_WEBHOOK}
    assert {value.split(":")[0] for value in unit.values["SetCredential"]} == handed, "any may be missing"
    connector = Unit(OWN_CONNECTOR)
    assert connector.one("LoadCredential").split(":")[0] == secrets.TUNNEL_TOKEN
    assert connector.one("SetCredential").split(":")[0] == secrets.TUNNEL_TOKEN


def test_the_agent_may_change_no_owner():
    """A group is let in at a control socket by an access list."""
    assert Unit("inferagent.service").values["SystemCallFilter"] == [
        "@system-service",
        "~@privileged @resources",
    ]


def test_the_agent_is_never_given_up():
    unit = Unit("inferagent.service")
    assert (unit.one("Restart"), unit.one("StartLimitIntervalSec")) == ("always", "0")
    assert 2 * Pace().tick < float(unit.one("WatchdogSec"))
    assert unit.one("OOMPolicy") == "continue", "it runs programs of the user's"
    assert unit.one("RestartPreventExitStatus") == "78"
    assert float(unit.one("TimeoutStopSec")) <= 5
    for other in (READY, PROBE, "inferagent-drain.service"):
        assert other in unit.words("Wants")
    assert not unit.words("Requires") | unit.words("BindsTo") | unit.words("PartOf"), "nothing takes it along"


def test_the_runtime_folder_outlives_each_unit():
    for name in ("inferagent.service", PROBE, "inferagent-ready.service"):
        unit = Unit(name)
        assert (unit.one("RuntimeDirectory"), unit.one("RuntimeDirectoryPreserve")) == ("inferagent", "yes")
        assert unit.one("User") == "inferagent"


def test_the_ready_url_is_never_given_up_and_has_the_usual_port(tmp_path):
    (tmp_path / "config.toml").write_text(
        '[[engine]]\nkind = "vllm"\nurl = "http://127.0.0.1:8000"\ncommand = ["x"]\nserves = { a = "a" }\n'
        '[connector]\ncommand = ["x"]\nhostname = "a.example.com"\n[membership]\nkind = "pull"\n'
    )
    settings = load(tmp_path).settings
    assert settings is not None
    assert Unit(READY).one("ListenStream") == f"127.0.0.1:{settings.ready.port}"
    assert Unit("inferagent-ready.service").one("StartLimitIntervalSec") == "0"


@pytest.mark.parametrize(("part", "verb"), VERBS)
def test_a_deed_is_a_socket_that_only_the_agent_may_open(part, verb):
    name = f"inferagent-verb-{part}-{verb}"
    unit = Unit(f"{name}.socket")
    assert unit.one("ListenStream") == str(FOLDER / f"{part}-{verb}.sock")
    assert (unit.one("SocketUser"), unit.one("SocketMode"), unit.one("Accept")) == (
        "inferagent",
        "0600",
        "yes",
    )
    assert unit.one("TriggerLimitIntervalSec") == "0"
    assert Unit(f"{name}@.service").one("ExecStart") == f"{PROGRAM} verb {part} {verb}"
    assert f"{name}.socket" in Unit("inferagent.service").words("Wants")


def test_the_deeds_differ_in_nothing_else():
    for kind in (".socket", "@.service"):
        texts = set()
        for part, verb in VERBS:
            text = (UNITS / f"inferagent-verb-{part}-{verb}{kind}").read_text()
            texts.add(text.replace(part, "PART").replace(f"may {verb}", "VERB").replace(verb, "VERB"))
        assert len({text.replace("Restart=", "VERB") for text in texts}) == 1


def test_the_host_waits_for_the_drain_before_it_stops_what_answers():
    unit = Unit("inferagent-drain.service")
    last = {
        "network-online.target",
        "inferagent.service",
        "inferagent-ready.service",
        OWN_ENGINE,
        OWN_CONNECTOR,
    }
    assert last <= unit.words("After")
    assert float(unit.one("TimeoutStopSec")) > 3600 + 2, "[drain] shutdown may be an hour"


def test_the_drain_comes_before_units_of_any_name():
    """A target is stopped before all that it wants; a booted host shows it (suite_shutdown)."""
    assert {"multi-user.target", "graphical.target"} <= Unit("inferagent-drain.service").words("After")


def test_the_units_wait_for_a_verb_as_long_as_its_caller():
    for part, verb in VERBS:
        assert float(Unit(f"inferagent-verb-{part}-{verb}@.service").one("TimeoutStartSec")) > ANSWERS


@pytest.mark.parametrize("name", [PROBE, OWN_ENGINE])
def test_devices_that_are_missing_are_made_by_root_and_nothing_else_is_roots(name):
    unit = Unit(name)
    made = unit.values["ExecStartPre"]
    assert made[0] == "-+/usr/bin/nvidia-modprobe -c 255", "the kernel's module, and the device of the driver"
    assert ("-+/usr/bin/nvidia-modprobe -u -c 0" in made) is (name == OWN_ENGINE), "CUDA needs its own too"
    assert all(command.startswith("-+") for command in made), "without a driver the unit starts all the same"
    assert not any(command.startswith("+") for command in unit.values["ExecStart"])


def test_a_device_is_made_for_each_gpu_of_the_driver(tmp_path):
    (line,) = (command for command in Unit(PROBE).values["ExecStartPre"] if "/bin/sh" in command)
    script, gpus = shlex.split(line)[2], tmp_path / "gpus"
    for place, minor in (("0000:01:00.0", 0), ("0000:41:00.0", 3)):
        (gpus / place).mkdir(parents=True)
        (gpus / place / "information").write_text(
            f"Model: \t\t X\nDevice Minor: \t {minor}\nGPU Excluded:\t No\n"
        )
    here = script.replace("/proc/driver/nvidia/gpus", str(gpus)).replace("/usr/bin/nvidia-modprobe", "echo")
    assert here.count("echo") == 1
    made = subprocess.run(["/bin/sh", "-c", here], capture_output=True, text=True, check=True)
    assert made.stdout.splitlines() == ["-c 0", "-c 3"]
    none = here.replace(str(gpus), str(tmp_path / "none"))
    made = subprocess.run(["/bin/sh", "-c", none], capture_output=True, text=True, check=True)
    assert (made.stdout, made.stderr) == ("", "")


def test_nothing_shuts_the_engine_out_of_its_gpus():
    """Before systemd 253 ProtectClock= allows the clock's device, and with that no other one."""
    unit = Unit(OWN_ENGINE)
    assert not {"ProtectClock", "PrivateDevices", "DevicePolicy", "DeviceAllow"} & set(unit.values)
    assert "char-nvidia* rwm" in Unit(PROBE).values["DeviceAllow"]


def test_the_engine_outlives_the_connector_and_the_agent_both():
    assert OWN_ENGINE in Unit(OWN_CONNECTOR).words("After")
    for name in (OWN_ENGINE, OWN_CONNECTOR):
        unit = Unit(name)
        tied = [unit.words(key) for key in ("Requires", "BindsTo", "PartOf", "Wants")]
        assert not any("inferagent" in word for words in tied for word in words)
        assert unit.one("KillMode") == "mixed"


def test_each_file_is_one_that_systemd_reads():
    for name in SERVICES:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(UNITS / name)
        assert set(parser.sections()) <= {"Unit", "Service", "Install"}, name
