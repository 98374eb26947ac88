"""A docker daemon on a booted host: this machine's own programs, put on the host's disk, and a tiny image.

No image registry is needed: the image is a folder with a shell and what a stand-in engine needs.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.hosts.base import NoHostsError
from tests.hosts.host import Host, until

PROGRAMS = (
    "/usr/sbin/dockerd",
    "/usr/bin/docker",
    "/usr/bin/docker-init",
    "/usr/bin/containerd",
    "/usr/bin/containerd-shim-runc-v2",
    "/usr/sbin/runc",
)
BUSYBOX = "/usr/bin/busybox"
# Device nodes, mounts and groups of control are what a container is made of.
BOOT = ("--capability=all", "--system-call-filter=add_key keyctl bpf")
UNIT = """
[Unit]
Description=docker
[Service]
Type=notify
ExecStart=/usr/sbin/dockerd -H unix:///run/docker.sock --iptables=false --bridge=none --storage-driver=vfs
Restart=always
RestartSec=1
KillMode=process
Delegate=yes
TimeoutStopSec=30
"""
IMAGE = "lab/engine:1"
APPLETS = ("sh", "sleep", "dd", "chroot")


def check() -> None:
    """Raises NoHostsError where this machine has no docker to put on a host."""
    if missing := [each for each in (*PROGRAMS, BUSYBOX) if not Path(each).exists()]:
        raise NoHostsError(f"this machine has no {', '.join(missing)} (Debian: docker.io, busybox-static)")


def put(host: Host) -> None:
    """On the disk of a host that runs."""
    libraries: set[str] = set()
    for program in PROGRAMS:
        _copy(program, host)
        said = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        libraries |= {words[2] for line in said.splitlines() if len(words := line.split()) > 3}
    for library in sorted(libraries):
        if not host.path(library).exists():
            _copy(library, host)
    host.write("/etc/systemd/system/docker.service", UNIT)
    host.run("systemctl", "daemon-reload")


def _copy(path: str, host: Host) -> None:
    target = host.path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)


def start(host: Host) -> None:
    host.run("systemctl", "start", "docker")
    until(lambda: host.try_run("docker", "version").returncode == 0, "docker answers")
    _import(host)


def _import(host: Host) -> None:
    root = host.path("/var/tmp/image")
    (root / "bin").mkdir(parents=True)
    (root / "tmp").mkdir()
    shutil.copy2(BUSYBOX, root / "bin/busybox")
    for name in APPLETS:
        (root / "bin" / name).symlink_to("busybox")
    host.run("sh", "-c", f"tar -C /var/tmp/image -c . | docker import - {IMAGE}")


def docker(host: Host, *words: str) -> str:
    return host.run("docker", *words).strip()


def state(host: Host, name: str) -> dict[str, Any]:
    """State and restart policy of a container, {} where there is none."""
    done = host.try_run("docker", "inspect", name)
    found = json.loads(done.stdout) if done.returncode == 0 else []
    return {**found[0]["State"], "Policy": found[0]["HostConfig"]["RestartPolicy"]["Name"]} if found else {}


REGISTRY = """
import http.server, os
os.chdir("/var/tmp/registry")
class Handler(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path):
        kind = "manifest.v2+json" if "/manifests/" in path else "image.rootfs.diff.tar.gzip"
        return f"application/vnd.docker.distribution.{kind}"
http.server.ThreadingHTTPServer(("127.0.0.1", 5000), Handler).serve_forever()
"""


def serve_image(host: Host) -> str:
    """The image as a registry on the host's own loopback gives it out; its name by digest."""
    layer = gzip.compress(_tar(host.path("/var/tmp/image")), mtime=0)
    plain = hashlib.sha256(gzip.decompress(layer)).hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{plain}"]},
        }
    ).encode()
    top = "application/vnd.docker"
    kinds = {"config": f"{top}.container.image.v1+json", "layer": f"{top}.image.rootfs.diff.tar.gzip"}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{top}.distribution.manifest.v2+json",
            "config": _described(config, kinds["config"]),
            "layers": [_described(layer, kinds["layer"])],
        }
    ).encode()
    for folder, content in (("manifests", manifest), ("blobs", config), ("blobs", layer)):
        file = host.path(f"/var/tmp/registry/v2/lab/engine/{folder}/{_digest(content)}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    host.write("/var/tmp/registry.py", REGISTRY)
    host.run("systemd-run", "--unit=registry", "/usr/bin/python3", "/var/tmp/registry.py")
    until(lambda: host.try_run("curl", "-sf", "http://127.0.0.1:5000/v2/").returncode == 0, "a registry")
    return f"127.0.0.1:5000/lab/engine@{_digest(manifest)}"


def _tar(folder: Path) -> bytes:
    done = subprocess.run(["tar", "-C", str(folder), "-c", "."], capture_output=True, check=True)
    return done.stdout


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(content: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "size": len(content), "digest": _digest(content)}
