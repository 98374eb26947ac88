"""Devices of the GPUs under the units: missing ones are made by root, and engine and probe may open them."""

import errno

from tests.hosts.host import Host, until
from tests.hosts.lab import host_lab
from tests.hosts.suite import say

ENGINE, PROBE = "inferagent-engine.service", "inferagent-probe.service"
HELPER, CALLS, OPENED = "/usr/bin/nvidia-modprobe", "/run/calls", "/run/opened"
MADE = {"-c 255": "/dev/nvidiactl", "-u -c 0": "/dev/nvidia-uvm"}
# Stands in for the driver's helper: says how it was called, with which rights, and makes what is missing.
STAND_IN = """#!/bin/sh
echo "$(id -u) $(sed -n 's/^NoNewPrivs:[[:blank:]]*//p' /proc/self/status) $*" >> /run/calls
case "$*" in
  "-c 255") file=/dev/nvidiactl ;;
  "-u -c 0") file=/dev/nvidia-uvm ;;
  *) exit 1 ;;
esac
[ -e $file ] || mknod -m 666 $file c 10 229
"""
# A device outside of what systemd lets every unit have; whether a driver answers there does not matter.
OPEN = """
import errno, os, sys
for path in sys.argv[1:]:
    try:
        os.close(os.open(path, os.O_RDWR))
        print(path, 0, flush=True)
    except OSError as error:
        print(path, error.errno, flush=True)
"""


def suite() -> None:
    with host_lab() as lab:
        host = lab.boot()
        host.run("systemd-sysusers")
        host.run("systemd-tmpfiles", "--create")
        host.write("/etc/open.py", OPEN)
        for unit in (ENGINE, PROBE):
            _opens(host, unit)
        _without(host)
        host.write(HELPER, STAND_IN, 0o755)
        _engine(host)
        _probe(host)


def _opens(host: Host, unit: str) -> None:
    """In the place of its program one that opens the devices: in its cage, with its user."""
    start = f"ExecStart=\nExecStart=/usr/bin/python3 -I /etc/open.py {' '.join(MADE.values())}\n"
    host.write(
        f"/etc/systemd/system/{unit}.d/lab.conf",
        f"[Service]\nRestart=no\nStandardOutput=truncate:{OPENED}\n{start}",
    )
    host.run("systemctl", "daemon-reload")


def _ran(host: Host, unit: str) -> dict[str, int]:
    """What opening each device came to: an errno, 0 for none."""
    host.run("systemctl", "start", unit)
    until(lambda: host.show(unit, "ActiveState")["ActiveState"] in ("inactive", "failed"), f"{unit} ends")
    pairs = [line.split() for line in host.path(OPENED).read_text().splitlines()]
    return {path: int(number) for path, number in pairs}


def _without(host: Host) -> None:
    for unit in (ENGINE, PROBE):
        found = _ran(host, unit)
        assert set(found.values()) == {errno.ENOENT}, f"{unit}: {found}"
        result = host.show(unit, "Result")["Result"]
        assert result == "success", f"{unit}: {result}"
    say("without the driver's helper both units start all the same")


def _engine(host: Host) -> None:
    found = _ran(host, ENGINE)
    calls = host.path(CALLS).read_text().splitlines()
    assert calls == [f"0 0 {words}" for words in MADE], calls
    assert set(found) == set(MADE.values()), found
    assert not set(found.values()) & {errno.EPERM, errno.EACCES, errno.ENOENT}, f"shut out: {found}"
    say(f"root makes {' and '.join(found)}, and the engine may open them")


def _probe(host: Host) -> None:
    """It has the driver's own devices alone, and those here stand for another one."""
    host.path(CALLS).write_text("")
    found = _ran(host, PROBE)
    assert set(found.values()) == {errno.EPERM}, f"the probe may open any device: {found}"
    calls = host.path(CALLS).read_text().splitlines()
    assert calls == ["0 0 -c 255"], calls
    say("the probe has the driver's own device made, and may open no other one")
