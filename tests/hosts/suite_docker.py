"""An engine in a docker container: adopted as it runs, followed through what can happen to it, given back.

A real docker daemon on a booted host; the container sees the host's disk, where the stand-in engine lies.
"""

import json
import shlex
import signal
import time

from tests.hosts import dockers
from tests.hosts.dockers import docker, state
from tests.hosts.host import Host, until
from tests.hosts.stage import AGENT, ENGINE, ENGINE_LAB, LIB, UNITS, Stage, stage
from tests.hosts.suite import say

NAME = "vllm"
UNIT = f"inferagent-container@{NAME}.service"
GREEDY = "inferagent-container@greedy.service"
OWNER_WAITS = 30.0  # seconds that a follower gives an owner to make the container again
LIVE = '{"live-restore": true}'


def suite() -> None:
    dockers.check()
    with stage() as scene:
        host = scene.boot(*dockers.BOOT)
        dockers.put(host)
        dockers.start(host)
        run(host)
        adopt(scene, host)
        killed_inside(scene, host)
        out_of_memory(host)
        stopped_by_a_person(scene, host)
        daemon_restarted(scene, host)
        daemon_replaced(host)
        daemon_hangs(scene, host)
        made_again(scene, host)
        removed(scene, host)
        undone(host)
        made_from_an_image(scene, host)


def run(host: Host) -> None:
    """As a person types it, a shell in the container going over to the host's disk."""
    named = [word for pair in {"PYTHONPATH": LIB, **ENGINE_LAB}.items() for word in ("-e", "=".join(pair))]
    where = ["-d", "--name", NAME, "--restart", "unless-stopped", "--network", "host", "--ipc", "host"]
    enter = ["chroot", "/host", *ENGINE]
    docker(host, "run", *where, "-v", "/:/host", *named, dockers.IMAGE, *enter)
    until(lambda: answers(host), "the engine in the container answers")


def answers(host: Host) -> bool:
    return host.try_run("curl", "-sf", "http://127.0.0.1:8000/health").returncode == 0


def adopt(scene: Stage, host: Host) -> None:
    before = state(host, NAME)
    words = scene.words(
        host,
        without=("--engine-unit", "--engine-command", "--engine-env", "--engine-url"),
        engine_container=NAME,
    )
    plan = host.run("inferagent", *words, "--plan")
    assert f"take the restarts of the container {NAME} over from docker" in plan, plan
    assert state(host, NAME)["Policy"] == "unless-stopped", "the plan changed something"
    host.run("inferagent", *words, "--yes")
    after = state(host, NAME)
    assert (after["Pid"], after["StartedAt"]) == (before["Pid"], before["StartedAt"]), "it was restarted"
    assert after["Policy"] == "no"
    again = host.run("inferagent", *words, "--yes")
    assert "nothing to do" in again, again
    host.run("systemctl", "start", UNITS[1], AGENT)
    serving(scene, host)
    assert told(host)["pid"] == after["Pid"], "the agent knows another process"
    say(f"adopted as it ran: pid {after['Pid']}, restart policy unless-stopped → no, again: nothing to do")


def serving(scene: Stage, host: Host) -> None:
    """Each trial has systemd's whole patience for deaths in a row before it."""
    host.run("systemctl", "reset-failed", UNIT)
    until(lambda: state(host, NAME).get("Running"), "the container runs", 60.0)
    scene.until_serving(host)


def told(host: Host) -> dict[str, object]:
    found: dict[str, object] = json.loads(host.path(f"/run/inferagent-container/{NAME}.json").read_text())
    return found


def killed_inside(scene: Stage, host: Host) -> None:
    life, begun = told(host), time.monotonic()
    host.kill(int(str(life["pid"])), signal.SIGKILL)
    until(lambda: told(host)["main"] not in (0, life["main"]), "the next life", every=0.01)
    took = time.monotonic() - begun
    assert told(host)["ended"] == "killed by signal 9", told(host)
    serving(scene, host)
    text = host.run("journalctl", "--no-pager", "-o", "cat", "-u", AGENT)
    assert "killed by signal 9" in text, text[-2000:]
    say(f"killed inside: told as such, the next life after {took:.1f} s (RestartSec 2), serving again")


def out_of_memory(host: Host) -> None:
    greedy = "sleep 1; exec dd if=/dev/zero of=/dev/null bs=64M count=100000"
    docker(
        host,
        "create",
        "--name",
        "greedy",
        "--network",
        "host",
        "-m",
        "32m",
        dockers.IMAGE,
        "sh",
        "-c",
        greedy,
    )
    host.run("systemctl", "start", GREEDY)
    until(lambda: "out of memory" in journal(host, GREEDY), "it is out of memory")
    line = next(line for line in journal(host, GREEDY).splitlines() if "out of memory" in line)
    host.run("systemctl", "stop", GREEDY)
    docker(host, "rm", "-f", "greedy")
    say(f"out of memory: {line!r}")


def journal(host: Host, unit: str) -> str:
    return host.run("journalctl", "--no-pager", "-o", "cat", "-u", unit)


def stopped_by_a_person(scene: Stage, host: Host) -> None:
    docker(host, "stop", "-t", "1", NAME)
    until(lambda: active(host) == "inactive", "the unit rests")
    time.sleep(4.0)  # longer than RestartSec: nobody may start it again
    assert not state(host, NAME)["Running"]
    assert active(host) == "inactive"
    host.run("systemctl", "start", UNIT)
    serving(scene, host)
    say("docker stop by a person: the unit rests like after systemctl stop, nobody starts it again")


def active(host: Host) -> str:
    return host.show(UNIT, "ActiveState")["ActiveState"]


def daemon_restarted(scene: Stage, host: Host) -> None:
    before, begun = state(host, NAME)["StartedAt"], time.monotonic()
    host.run("systemctl", "restart", "docker")
    until(lambda: state(host, NAME).get("StartedAt", before) != before, "a new life", 60.0)
    until(lambda: active(host) == "active", "the unit follows", 60.0)
    took = time.monotonic() - begun
    serving(scene, host)
    say(f"docker restarted, its containers with it: followed again after {took:.1f} s, serving")


def daemon_replaced(host: Host) -> None:
    host.write("/etc/docker/daemon.json", LIVE)
    host.kill(host.main_pid("docker"), signal.SIGHUP)  # taken up without a restart
    until(lambda: "true" in docker(host, "info", "-f", "{{.LiveRestoreEnabled}}"), "live restore")
    life, main = state(host, NAME)["StartedAt"], host.show(UNIT, "MainPID", "InvocationID")
    for _ in range(2):
        host.run("systemctl", "restart", "docker")
        assert state(host, NAME)["Running"], "the container did not live through it"
    until(lambda: host.try_run("docker", "version").returncode == 0, "docker answers again")
    assert state(host, NAME)["StartedAt"] == life
    assert host.show(UNIT, "MainPID", "InvocationID") == main, "the follower did not live through it"
    say("docker restarted twice with live-restore: container, follower and incarnation unchanged")


def daemon_hangs(scene: Stage, host: Host) -> None:
    daemon, life = host.main_pid("docker"), told(host)
    host.kill(daemon, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        host.kill(int(str(life["pid"])), signal.SIGKILL)
        until(lambda: "docker does not say how" in str(told(host)["ended"]), "its end is seen", 30.0)
        took = time.monotonic() - begun
    finally:
        host.kill(daemon, signal.SIGCONT)
    serving(scene, host)
    say(f"docker hung (SIGSTOP), the engine killed: told after {took:.1f} s; docker awake: serving again")


def made_again(scene: Stage, host: Host) -> None:
    docker(host, "rm", "-f", NAME)
    run(host)
    until(lambda: state(host, NAME)["Policy"] == "no", "its restarts are taken over again", 60.0)
    serving(scene, host)
    restarts = host.show(UNIT, "NRestarts")["NRestarts"]
    say(f"made again by its owner: followed, policy taken over, {restarts} restarts of the unit")


def removed(scene: Stage, host: Host) -> None:
    docker(host, "rm", "-f", NAME)
    begun = time.monotonic()
    until(lambda: active(host) == "failed", "the unit gives up", OWNER_WAITS + 30.0)
    took = time.monotonic() - begun
    assert host.show(UNIT, "ExecMainStatus")["ExecMainStatus"] == "78"
    cure = next(line for line in reversed(journal(host, UNIT).splitlines()) if "make it again" in line)
    assert shlex.join(["docker", "run", "-d", "--name", NAME]) in cure, cure
    run(host)
    host.run("systemctl", "reset-failed", UNIT)
    host.run("systemctl", "start", UNIT)
    serving(scene, host)
    say(f"removed: failed (78) after {took:.0f} s: {cure!r}")


def undone(host: Host) -> None:
    before = state(host, NAME)
    assert before["Policy"] == "no"
    host.run("systemctl", "stop", AGENT, UNITS[1])
    host.run("inferagent", "setup", "--undo", "--yes")
    after = state(host, NAME)
    assert (after["Pid"], after["Policy"]) == (before["Pid"], "unless-stopped"), after
    assert active(host) == "inactive"
    assert host.try_run("systemctl", "is-enabled", UNIT).stdout.strip() == "disabled"
    assert answers(host), "the engine ended with the undo"
    left = host.run("find", "/etc/systemd/system", "-name", "*inferagent-container*").strip()
    assert left == "", left
    say(f"undone: restart policy {after['Policy']} again, the container goes on as pid {after['Pid']}")


def made_from_an_image(scene: Stage, host: Host) -> None:
    """No container yet: from an image by its digest, pulled by a person; undo removes what was made."""
    docker(host, "rm", "-f", NAME)
    image = dockers.serve_image(host)
    words = scene.words(host, without=("--engine-unit", "--engine-command"), engine_image=image)
    refused = host.try_run("inferagent", *scene.words(host, ("--engine-unit",), engine_image="lab/engine:1"))
    assert "by its digest" in refused.stdout, refused.stdout
    volumes = ("--engine-volume", "/:/host", "--engine-command", shlex.join(["chroot", "/host", *ENGINE]))
    missing = host.try_run("inferagent", *words, *volumes, "--yes")
    assert f"sudo docker pull {image}" in missing.stdout, missing.stdout
    docker(host, "pull", image)
    host.run("inferagent", *words, *volumes, "--yes")
    until(lambda: answers(host), "the engine of the image answers")
    host.run("systemctl", "start", UNITS[1], AGENT)
    scene.until_serving(host)
    found = state(host, "inferagent-vllm")
    assert (found["Running"], found["Policy"]) == (True, "no")
    say(f"made from {image[:40]}…: a tag refused, the image that is missing told with its cure, serving")
    host.run("systemctl", "stop", AGENT, UNITS[1])
    host.run("inferagent", "setup", "--undo", "--yes")
    assert state(host, "inferagent-vllm") == {}, "undo left the container that setup had made"
