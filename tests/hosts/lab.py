"""The host lab: hosts with a real systemd on one machine, and a switch between them.

`with host_lab() as lab: host = lab.boot()`; all that was started ends with it. Needs root, see base.py.
The product lies on the disk of each host, switched off; nothing of it starts before a suite starts it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.hosts.base import base, folder, python_of
from tests.hosts.cages import kill, remove
from tests.hosts.host import Host, end_left, until
from tests.hosts.product import parts, product
from tests.hosts.wires import Switch


class Lab:
    def __init__(self, *, tests: bool, bare: bool = False, more: str = "", debian: str = "") -> None:
        bottom = base(more, debian)
        sweep()
        self.prefix = f"ia-{os.getpid()}"
        self.folder = folder() / "labs" / self.prefix
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        make = (
            partial(parts, self.folder / "parts", python_of(bottom))
            if bare
            else partial(product, self.folder / "product", tests=tests)
        )
        self.layers = [make(), bottom]
        self.switch = Switch(self.prefix)
        self.hosts: list[Host] = []

    def make(self) -> Host:
        """A host that does not run yet: files may be put on its disk."""
        number = len(self.hosts) + 1
        network = self.switch.wire(self.prefix, number)
        host = Host(self.folder / f"h{number}", self.prefix, number, self.layers, network)
        self.hosts.append(host)
        return host

    def boot(self, *extra: str) -> Host:
        host = self.make()
        host.boot(*extra)
        return host

    def close(self) -> None:
        for host in self.hosts:
            host.close()
        self.switch.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep() -> None:
    """End what a killed lab left: processes known by number and start, or by a control group of its own."""
    for left in (folder() / "labs").glob("ia-*"):
        if Path(f"/proc/{left.name.removeprefix('ia-')}").exists():
            continue
        for host in left.glob("h*"):
            end_left(host)
        for name in Path("/run/netns").glob(f"{left.name}-*"):
            subprocess.run(["ip", "netns", "del", name.name], check=False)
        for cage in Path("/sys/fs/cgroup").glob(f"**/{left.name}-h*"):
            until(lambda cage=cage: kill(cage), f"{cage.name} is empty")
            remove(cage)
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def host_lab(*, tests: bool = False, bare: bool = False, more: str = "", debian: str = "") -> Iterator[Lab]:
    """Raises NoHostsError where this machine cannot boot hosts.

    `tests`: put them on the disks as well. `bare`: the product is not there, a package brings it; the
    stand-ins of its parts are in /opt/lab. `more`: packages of Debian besides, with commas. `debian`: another
    suite, for bare hosts.
    """
    lab = Lab(tests=tests, bare=bare, more=more, debian=debian)
    try:
        lab.switch.open()
        yield lab
    finally:
        lab.close()
