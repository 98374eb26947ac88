"""Who may install, on what, and with which driver."""

import pytest
from tests.support.install_host import InstallHost

from inferagent.ports import PortError
from inferagent.programs.install.checks import (
    check_architecture,
    check_driver,
    check_root,
    check_sources,
    driver_version,
    needed_driver,
)

OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build  (root)\nGCC 12\n"
OLD = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n"


@pytest.fixture
def host(tmp_path) -> InstallHost:
    return InstallHost(tmp_path / "host")


def loaded(host: InstallHost, text: str) -> None:
    path = host.host.at("/proc/driver/nvidia/version")
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.mark.parametrize(("text", "version"), [(OPEN, "580.82.07"), (OLD, "535.183.01"), ("odd\n", None)])
def test_the_driver_is_that_of_the_kernel(host, text, version):
    loaded(host, text)
    assert driver_version(host.host) == version


@pytest.mark.parametrize(
    ("version", "least"),
    [
        ("0.11.0", "525.60.13"),
        ("0.19.9", "525.60.13"),
        ("0.20.0", "580.65.06"),
        ("1.0", "580.65.06"),
        ("0.20.2+cu129", "525.60.13"),
        ("0.15.0+cu130", "580.65.06"),
        ("0.20.2+cu140", None),
    ],
)
def test_what_a_version_needs(host, version, least):
    found = needed_driver(version, host.read().vllm.driver)
    assert (found.least if found else None) == least


def test_a_driver_that_is_too_old_is_refused(host):
    loaded(host, OLD)
    table = host.read().vllm.driver
    with pytest.raises(
        PortError, match=r"needs an NVIDIA driver of 580\.65\.06 or newer, this host runs 535"
    ):
        check_driver(host.host, "vllm", "0.20.2", table)
    assert "this host runs 535.183.01" in check_driver(host.host, "vllm", "0.11.0", table)
    assert "is not known" in check_driver(host.host, "vllm", "0.20.2+cu140", table)


def test_a_driver_that_is_unknown_is_said(host):
    said = check_driver(host.host, "vllm", "0.20.2", host.read().vllm.driver)
    assert "the driver of this host is unknown" in said


def test_architectures(host):
    assert check_architecture(host.host, "x") == "amd64"
    host.machine = "armv7l"
    with pytest.raises(PortError, match="there is none for armv7l, only for amd64, arm64"):
        check_architecture(host.host, "x")


def test_who_may_install_and_who_may_say_from_where(host, tmp_path):
    check_root(host.host, "x", "again")
    check_sources(tmp_path / "missing")
    check_sources(host.config)
    host.uid = 1000
    with pytest.raises(PortError, match="cannot install x: only root may → again"):
        check_root(host.host, "x", "again")
    host.config.chmod(0o775)
    with pytest.raises(PortError, match="chmod go-w"):
        check_sources(host.config)
