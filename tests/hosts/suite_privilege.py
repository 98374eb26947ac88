"""What the daemon may not: no capability, no root, no file outside its folders, no unit without a socket."""

import json

from tests.hosts.host import Host
from tests.hosts.stage import AGENT, UNITS, stage
from tests.hosts.suite import say

USER = "inferagent"
# Its state, its run folder, and what PrivateTmp, PrivateDevices and the kernel give to every process.
OWN = ("/var/lib/inferagent", "/run/inferagent")
ANYBODY_S = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts/ptmx")
# Runs with the daemon's user in the daemon's own view of the disk; said is every place that takes a write.
LOOK = """
import json, os, stat
found = []
for top in ("/", "/proc/sys"):
    for folder, names, files in os.walk(top, followlinks=False):
        if top == "/" and folder in ("/proc", "/sys"):
            names[:] = []
            continue
        for place in (folder, *(os.path.join(folder, name) for name in files)):
            kind = stat.S_IFMT(os.lstat(place).st_mode)
            if kind not in (stat.S_IFLNK, stat.S_IFSOCK) and os.access(place, os.W_OK):
                found.append(place)
print(json.dumps(found))
"""
ASK = """
for unit in "$@"; do
    for verb in start stop restart; do
        systemctl --no-ask-password --no-block "$verb" "$unit" 2>/dev/null && echo "$verb $unit"
    done
done
exit 0
"""
NOTHING = "0000000000000000"


def suite() -> None:
    with stage() as scene:
        host = scene.add()
        scene.serve(host)
        pid = host.main_pid(AGENT)
        _without_power(host, pid)
        _writes_nowhere_else(host, pid)
        _moves_no_unit(host)


def _without_power(host: Host, pid: int) -> None:
    lines = host.run("cat", f"/proc/{pid}/status").splitlines()
    known = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    capabilities = {name: known[name] for name in known if name.startswith("Cap")}
    assert all(value == [NOTHING] for value in capabilities.values()), capabilities
    assert "0" not in known["Uid"] + known["Gid"] + known["Groups"], (known["Uid"], known["Groups"])
    assert (known["NoNewPrivs"], known["Seccomp"]) == (["1"], ["2"])
    assert not host.try_run("pgrep", "-x", "polkitd").stdout, "polkit runs, and may grant what is tried here"
    say(f"{AGENT}: user {known['Uid'][0]}, {len(capabilities)} sets of capabilities, all empty; no polkit")


def _writes_nowhere_else(host: Host, pid: int) -> None:
    uid, gid = (host.run("id", option, USER).strip() for option in ("-u", "-g"))
    argv = ("nsenter", f"--target={pid}", "--mount", f"--setuid={uid}", f"--setgid={gid}", "--")
    found: list[str] = json.loads(host.run(*argv, "python3", "-I", "-c", LOOK))
    may = [*OWN, *ANYBODY_S]
    devices = {f"/dev/{name}" for name in DEVICES}
    wrong = [
        place
        for place in found
        if place not in devices and not any(place == top or place.startswith(f"{top}/") for top in may)
    ]
    assert any(place.startswith(OWN[0]) for place in found), "not even its state folder: the look is wrong"
    assert not wrong, f"the daemon may write {wrong[:20]}"
    say(f"{len(found)} places take a write of the daemon, none outside {', '.join(may)} and its bare devices")


def _moves_no_unit(host: Host) -> None:
    listed = host.run(
        "systemctl", "list-unit-files", "--no-legend", "--plain", "--type=service,socket,target"
    )
    names = [line.split()[0] for line in listed.splitlines() if "@." not in line]
    before = {unit: host.main_pid(unit) for unit in UNITS}
    assert before.keys() <= set(names), names
    moved = host.run("sh", "-c", ASK, "sh", *names, user=USER)
    assert moved == "", f"the daemon's user moved units without a socket: {moved}"
    assert {unit: host.main_pid(unit) for unit in UNITS} == before
    say(f"start, stop and restart of {len(names)} units: each refused to the daemon's user")
