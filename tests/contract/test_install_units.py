"""The units that install a part: one socket each for the agent alone, no more rights than the deed needs."""

import configparser
from pathlib import Path

import pytest

from inferagent.adapters.units.verbs import FOLDER
from inferagent.config.sources import NAMES

UNITS = Path(__file__).parents[2] / "systemd"
PACKAGES = "cloudflared"  # apt and dnf write all over the system


class _All(dict[str, str]):
    """A key that stands several times has all its values."""

    def __setitem__(self, key: str, value: object) -> None:
        more = isinstance(value, list) and key in self and isinstance(self[key], list)
        super().__setitem__(key, [*self[key], *value] if more else value)  # type: ignore[misc]


def read(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, dict_type=_All)  # type: ignore[arg-type]
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser


@pytest.mark.parametrize("name", NAMES)
def test_a_socket_that_only_the_agent_may_open(name):
    socket = read(f"inferagent-verb-install-{name}.socket")["Socket"]
    assert socket["ListenStream"] == str(FOLDER / f"install-{name}.sock")
    assert (socket["SocketUser"], socket["SocketMode"], socket["Accept"]) == ("inferagent", "0600", "yes")
    assert socket["TriggerLimitIntervalSec"] == "0"


@pytest.mark.parametrize("name", NAMES)
def test_the_deed_is_named_by_the_unit_alone(name):
    service = read(f"inferagent-verb-install-{name}@.service")["Service"]
    assert service["ExecStart"] == f"/usr/lib/inferagent/program install {name}"
    assert (service["Type"], service["TimeoutStartSec"]) == ("oneshot", "infinity")
    assert (service["StandardInput"], service["StandardOutput"]) == ("socket", "socket")


@pytest.mark.parametrize("name", NAMES)
def test_no_more_rights_than_the_deed_needs(name):
    service = read(f"inferagent-verb-install-{name}@.service")["Service"]
    assert service["NoNewPrivileges"] == service["PrivateDevices"] == service["ProtectHome"] == "yes"
    rights = set(service["CapabilityBoundingSet"].split())
    assert not rights & {
        "CAP_SYS_ADMIN",
        "CAP_SYS_PTRACE",
        "CAP_SYS_MODULE",
        "CAP_NET_ADMIN",
        "CAP_SYS_RAWIO",
    }
    wanted = read("inferagent.service")["Unit"]["Wants"].split()
    assert f"inferagent-verb-install-{name}.socket" in wanted
    if name == PACKAGES:
        assert rights >= {"CAP_CHOWN", "CAP_SETUID"}
        assert "ProtectSystem" not in service
    else:
        assert rights == {"CAP_DAC_OVERRIDE"}
        assert service["ProtectSystem"] == "strict"
        assert service["ReadWritePaths"] == "/opt /usr/local/bin"
