"""A host with a kernel of its own (User Mode Linux): a power cut loses what was not on its disk yet.

Slower than the others: about ten seconds to boot, and each new process takes ten times as long.
"""

import contextlib
import ctypes
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts import uml_disk
from tests.hosts.cages import Cage
from tests.hosts.host import CLEAN, Host, until
from tests.hosts.lab import Lab
from tests.hosts.stage import PORTS, SAID, Stage, stage
from tests.hosts.suite import say
from tests.hosts.wires import NETWORK

NUMBER = 101
BOOTS_WITHIN = 180.0
MEMORY = "768M"
PR_SET_PDEATHSIG = 1
CONTROL = "/run/inferagent/control.sock"
READY, READY_PORT = "/.inferagent/ready", 8790


class Machine(Host):
    """As a `Host`, but without `path`, `argv`, `start` and `outside`: processes and files are its kernel's.

    It is reached from the switch only; its caller has entered that.
    """

    def __init__(self, lab: Lab) -> None:
        self.number, self.name, self.address = NUMBER, f"h{NUMBER}", f"{NETWORK}.{NUMBER}"
        self._folder = lab.folder / self.name
        self._folder.mkdir()
        self._lab, self._image = lab, self._folder / "image"
        uml_disk.make(self._image, lab.layers, self.name, self.address, [PORTS["api"], PORTS["tunnel"]])
        self._tap = lab.switch.tap(NUMBER)
        self._cage = Cage(f"{lab.prefix}-{self.name}")
        self._kernel: subprocess.Popen[bytes] | None = None

    @property
    def lives(self) -> bool:
        return self._kernel is not None and self._kernel.poll() is None

    def boot(self, *extra: str) -> None:
        """Until systemd says that it is done. `extra`: more words for the kernel."""
        self.power_on(*extra)
        until(self._is_up, f"{self.name} is up: {self.console}", BOOTS_WITHIN, 0.1)

    def power_on(self, *extra: str) -> None:
        assert not self.lives, f"{self.name} runs"
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else str(self._folder)
        with (self._folder / "console.log").open("ab") as log:
            self._kernel = subprocess.Popen(
                [*self._argv(), *extra],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=CLEAN | {"HOME": str(self._folder), "TMPDIR": memory},
                start_new_session=True,
                preexec_fn=self._begin,
            )

    def _argv(self) -> list[str]:
        """In process numbers of its own: what it runs dies with its kernel, and that with this process."""
        argv = ["unshare", "--pid", "--fork", "--kill-child", "ip", "netns", "exec", self._lab.switch.name]
        argv += [uml_disk.KERNEL, f"mem={MEMORY}", f"umid={self._lab.prefix}-{self.name}", "quiet"]
        argv += [f"ubd0={self._folder}/disk,{self._image}", "root=/dev/ubda", "rw"]
        argv += [f"vec0:transport=tap,ifname={self._tap}", "con=null", "con0=null,fd:1", "ssl=null"]
        return [*argv, "systemd.unified_cgroup_hierarchy=1"]

    def _begin(self) -> None:
        self._cage.enter()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def _is_up(self) -> bool:
        assert self.lives, f"{self.name} died: {self.console}"
        with contextlib.suppress(OSError, ValueError):
            return self.try_run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
        return False

    def ask(self, what: str, patience: float = 10.0, **words: Any) -> dict[str, Any]:
        """One deed of guest.py. OSError or ValueError while nobody answers there."""
        with socket.create_connection((self.address, uml_disk.PORT), patience) as wire:
            wire.sendall(json.dumps({"do": what, **words}).encode() + b"\n")
            with wire.makefile("rb") as answer:
                said = json.loads(answer.readline())
        assert "failed" not in said, f"{self.name}: cannot {what} {words}: {said['failed']}"
        return dict(said)

    def try_run(
        self, *argv: str, user: str = "", stdin: str = "", seconds: float = 120.0
    ) -> "subprocess.CompletedProcess[str]":
        become = ["runuser", "-u", user, "--"] if user else []
        whole = [*become, *argv]
        said = self.ask("run", seconds + 5.0, argv=whole, stdin=stdin, seconds=seconds)
        return subprocess.CompletedProcess(whole, said["code"], said["out"], said["error"])

    def order(self, *argv: str) -> None:
        """Runs it, and waits for no answer."""
        with socket.create_connection((self.address, uml_disk.PORT), 10.0) as wire:
            asked = {"do": "run", "argv": argv, "stdin": "", "seconds": 60.0}
            wire.sendall(json.dumps(asked).encode() + b"\n")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        self.ask("write", path=path, text=text, mode=mode)

    def read(self, path: str) -> str | None:
        """None where there is no such file."""
        text = self.ask("read", path=path)["text"]
        return None if text is None else str(text)

    def listed(self, path: str) -> list[str]:
        """Names in a folder."""
        return list(self.ask("listed", path=path)["names"])

    def ready(self) -> int:
        """What the ready URL answers, 0 while nobody does."""
        return int(self.ask("get", path=READY, at=READY_PORT)["status"])

    def told(self) -> dict[str, Any]:
        """The Status document without a new process, {} while nobody answers."""
        with contextlib.suppress(OSError, ValueError):
            said = self.ask("get", path="/v1/status", at=CONTROL)
            if said["status"] == 200:
                return dict(json.loads(said["body"]))
        return {}

    def power_off(self, seconds: float = 180.0) -> float:
        raise NotImplementedError

    def power_cut(self) -> None:
        """Its kernel first, so that nothing more reaches the disk; then what that kernel's processes were."""
        if self._kernel is not None:
            self._kernel.kill()
            self._kernel.wait()
            self._kernel = None
        until(self._cage.kill, f"{self.name} dies", 30.0)

    def close(self) -> None:
        self.power_cut()
        self._cage.remove()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def beside() -> Iterator[tuple[Stage, Host, Machine]]:
    """A host that serves and stays, and one like this, provisioned. Raises NoHostsError."""
    uml_disk.check()
    say(SAID)
    with stage(more=uml_disk.MORE) as scene, machine(scene.lab) as host:
        stays = scene.add()
        scene.serve(stays)
        host.boot()
        scene.equip(host)
        scene.provision(host)
        yield scene, stays, host


@contextmanager
def machine(lab: Lab) -> Iterator[Machine]:
    """Not booted yet."""
    made = Machine(lab)
    try:
        yield made
    finally:
        made.close()
