"""The contract of units on a real systemd: the assertions that child units keep, run in a booted host."""

import re

from tests.contract.systemd_bench import MARK
from tests.hosts.host import Host
from tests.hosts.lab import host_lab
from tests.hosts.suite import say

LIB = "/usr/lib/inferagent/lib"
PYTEST = "python3 -m pytest -q -p no:cacheprovider --import-mode=importlib -o asyncio_mode=auto"
PYTEST += " -o asyncio_default_fixture_loop_scope=function"
CONTRACT = "tests/contract/test_units.py"
BEYOND = "tests/integration/test_systemd_unit.py tests/integration/test_systemd_host.py"


def suite() -> None:
    with host_lab(tests=True) as lab:
        host = lab.boot()
        host.run("systemd-sysusers")
        host.run("systemd-tmpfiles", "--create")
        systemd = host.run("systemctl", "--version").split()[1]
        child, booted = _pytest(host, f"{CONTRACT} -k child"), _pytest(host, f"{CONTRACT} -k systemd")
        assert child == booted, f"{child} assertions for children, {booted} for systemd's units"
        say(f"contract: {booted} tests, the same on child units and on units of systemd {systemd}")
        say(f"beyond the contract: {_pytest(host, BEYOND)} tests of systemd units")


def _pytest(host: Host, which: str) -> int:
    """How many passed; none may fail, and none be skipped."""
    done = host.try_run("sh", "-c", f"cd {LIB} && {MARK}=1 {PYTEST} {which}", seconds=600.0)
    for line in done.stdout.splitlines():
        if " ms of " in line:
            say(line)
    counts = {
        word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout)
    }
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert set(counts) == {"passed"}, done.stdout[-8000:]
    return counts["passed"]
