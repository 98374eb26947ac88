"""The privileged deeds: only the agent's user may ask for them, and for nothing else."""

import json
import subprocess
import time

from tests.hosts.host import Host, until
from tests.hosts.stage import UNITS, Stage, stage
from tests.hosts.suite import say

PROBE = "inferagent-probe.service"
OTHERS = ("nobody", "inferagent-engine", "inferagent-connector", "daemon")
SOCKETS = [
    f"/run/inferagent-verbs/{part}-{verb}.sock"
    for part in ("engine", "connector")
    for verb in ("start", "stop", "restart")
]
GPUS, OFF = "/run/inferagent-verbs/gpu-reset.sock", "/run/inferagent-verbs/host-power-off.sock"
SMI = "#!/bin/sh\necho GPU 00000000:01:00.0 was successfully reset.\n"
ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as link:
    try:
        link.connect(sys.argv[1])
    except PermissionError:
        sys.exit("refused")
    if sys.argv[2:] == ["ask"]:
        print(link.makefile().read())
"""


def suite() -> None:
    with stage() as scene:
        host, other = scene.add(), scene.add()  # the last of a pool does not leave it
        for each in (host, other):
            scene.serve(each)
        for user in OTHERS:
            for path in (*SOCKETS, GPUS):
                done = _ask(host, path, user)
                assert (done.returncode, done.stderr.strip()) == (1, "refused"), (
                    f"{user} may open {path}: {done}"
                )
        say(f"{len(SOCKETS) + 1} sockets refuse {', '.join(OTHERS)}")
        for unit in UNITS[:2]:
            done = host.try_run("systemctl", "restart", unit, user="inferagent")
            assert done.returncode != 0, f"the agent's user may restart {unit} without a socket"
        _restart(host)
        _reset(host)
        _off(scene, host)


def _restart(host: Host) -> None:
    for part, unit in (("connector", UNITS[1]), ("engine", UNITS[0])):
        before = host.main_pid(unit)
        done = _ask(host, f"/run/inferagent-verbs/{part}-restart.sock", "inferagent", "ask")
        said = json.loads(done.stdout or "{}")
        assert said.get("ok") is True, f"cannot restart the {part}: {done}"
        assert host.main_pid(unit) not in (0, before), f"the {part} was not restarted"
        say(f"{part}: restarted for the agent's user")


def _reset(host: Host) -> None:
    """With a stand-in of the driver's tool: what is met here is the cage of its unit, not the driver."""
    host.write("/usr/bin/nvidia-smi", SMI, 0o755)
    refused = _said(host, GPUS)
    assert refused["refused"], f"the GPUs of a running engine: {refused}"
    host.run("systemctl", "start", PROBE)
    host.run("inferagent", "drain", "--stop-engine", "--wait")
    said = _said(host, GPUS)
    assert said == {"ok": True, "message": "GPU 00000000:01:00.0 was successfully reset."}, said
    assert host.main_pid(PROBE), "the GPU probe was not started again"
    host.run("inferagent", "resume", "--wait")
    say("GPUs: reset for the agent's user, once the engine was stopped")


def _off(scene: Stage, host: Host) -> None:
    assert not host.path(OFF).exists(), "a host may be powered off without root's word"
    host.run("systemctl", "enable", "--now", "inferagent-verb-host-power-off.socket")
    for user in OTHERS:
        assert _ask(host, OFF, user).stderr.strip() == "refused", f"{user} may open {OFF}"
    begun = time.monotonic()
    host.start("runuser", "-u", "inferagent", "--", "python3", "-I", "-c", ASK, OFF, "ask", stdout=-3)
    until(lambda: not host.lives, "the host goes down", 90.0)
    took = time.monotonic() - begun
    assert not scene.pool(host)["enabled"], "the host went without leaving the pool"
    say(f"host: powered off for the agent's user in {took:.1f} s, out of the pool first")


def _said(host: Host, path: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(_ask(host, path, "inferagent", "ask").stdout or "{}")
    return found


def _ask(host: Host, path: str, user: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return host.try_run("python3", "-I", "-c", ASK, path, *words, user=user)
