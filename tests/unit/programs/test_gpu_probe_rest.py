"""Under systemd the probe of a host without a GPU stays for a while: it would only be started again."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inferagent.adapters.gpu.leave import says_absent

pytestmark = pytest.mark.skipif(
    Path("/proc/driver/nvidia").exists(),
    reason="this host has an NVIDIA driver: its absence is NOT tested here",
)


def test_it_rests_and_ends_when_told(tmp_path):
    argv = [sys.executable, "-m", "inferagent.programs.gpu_probe", "--run", str(tmp_path), "--rest", "60"]
    probe = subprocess.Popen([*argv, "--kernel-log", "/dev/null"])
    end = time.monotonic() + 20.0
    while not says_absent(tmp_path):
        assert time.monotonic() < end, "it never said that there is no GPU"
        time.sleep(0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        probe.wait(1.0)
    probe.send_signal(signal.SIGTERM)
    assert probe.wait(10.0) == 0
