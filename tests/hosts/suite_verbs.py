"""The privileged deeds: only the agent's user may ask for them, and for nothing else."""

import json

from tests.hosts.host import Host
from tests.hosts.stage import UNITS, stage
from tests.hosts.suite import say

OTHERS = ("nobody", "inferagent-engine", "inferagent-connector", "daemon")
SOCKETS = [
    f"/run/inferagent-verbs/{part}-{verb}.sock"
    for part in ("engine", "connector")
    for verb in ("start", "stop", "restart")
]
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
        host = scene.add()
        scene.serve(host)
        for user in OTHERS:
            for path in SOCKETS:
                done = _ask(host, path, user)
                assert (done.returncode, done.stderr.strip()) == (1, "refused"), (
                    f"{user} may open {path}: {done}"
                )
        say(f"{len(SOCKETS)} sockets refuse {', '.join(OTHERS)}")
        for unit in UNITS[:2]:
            done = host.try_run("systemctl", "restart", unit, user="inferagent")
            assert done.returncode != 0, f"the agent's user may restart {unit} without a socket"
        _restart(host)


def _restart(host: Host) -> None:
    for part, unit in (("connector", UNITS[1]), ("engine", UNITS[0])):
        before = host.main_pid(unit)
        done = _ask(host, f"/run/inferagent-verbs/{part}-restart.sock", "inferagent", "ask")
        said = json.loads(done.stdout or "{}")
        assert said.get("ok") is True, f"cannot restart the {part}: {done}"
        assert host.main_pid(unit) not in (0, before), f"the {part} was not restarted"
        say(f"{part}: restarted for the agent's user")


def _ask(host: Host, path: str, user: str, *words: str):
    return host.try_run("python3", "-I", "-c", ASK, path, *words, user=user)
