"""The disk of a host that has a kernel of its own: that of the others, its modules, network, listener."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.hosts.base import NoHostsError
from tests.hosts.wires import SWITCH, run

KERNEL, MODULES = "linux.uml", Path("/usr/lib/uml/modules")
MORE = "iptables,kmod"  # packages: its kernel knows no nftables for IPv4
PORT = 7777  # of the listener
SIZE = "3G"  # sparse
TOOLS = (KERNEL, "mke2fs")
GUEST = Path(__file__).with_name("guest.py")
NET = """[Unit]
DefaultDependencies=no
After=local-fs.target systemd-modules-load.service
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -e /opt/uml/net.sh
"""
LISTENER = f"""[Unit]
DefaultDependencies=no
After=lab-net.service
Requires=lab-net.service
Before=shutdown.target
Conflicts=shutdown.target
[Service]
ExecStart=/usr/bin/python3 -S -E /opt/uml/guest.py %s {PORT}
KillMode=process
OOMScoreAdjust=-1000
"""


def check() -> None:
    """Raises NoHostsError where this machine has no such kernel."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise NoHostsError(f"this machine has no {', '.join(missing)} (Debian: user-mode-linux, e2fsprogs)")
    if not Path("/dev/net/tun").exists():
        raise NoHostsError("this machine has no /dev/net/tun")


def make(image: Path, layers: Sequence[Path], name: str, address: str, ports: Sequence[int]) -> None:
    """`layers`: folders, the uppermost first. `ports` of its own loopback lead to the switch."""
    with tempfile.TemporaryDirectory(dir=image.parent) as folder:
        own, root = Path(folder) / "own", Path(folder) / "root"
        root.mkdir()
        _fill(own, name, address, ports)
        lower = ":".join(str(layer) for layer in (own, *layers))
        run("mount", "-t", "overlay", name, "-o", f"ro,lowerdir={lower}", str(root))
        try:
            run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(image), SIZE)
        finally:
            subprocess.run(["umount", str(root)], check=True)


def _fill(own: Path, name: str, address: str, ports: Sequence[int]) -> None:
    shutil.copytree(MODULES, own / "usr/lib/modules")
    files = {
        "etc/hostname": f"{name}\n",
        "etc/hosts": f"127.0.0.1 localhost\n{SWITCH} switch\n{address} {name}\n",
        "etc/resolv.conf": f"nameserver {SWITCH}\n",
        "etc/systemd/system/lab-net.service": NET,
        "etc/systemd/system/lab-listener.service": LISTENER % address,
        "opt/uml/net.sh": net(address, ports),
        "opt/uml/guest.py": GUEST.read_text(),
    }
    for path, text in files.items():
        (own / path).parent.mkdir(parents=True, exist_ok=True)
        (own / path).write_text(text)
    wanted = own / "etc/systemd/system/sysinit.target.wants"
    wanted.mkdir()
    for unit in ("lab-net.service", "lab-listener.service"):
        (wanted / unit).symlink_to(f"../{unit}")


def net(address: str, ports: Sequence[int]) -> str:
    """The script that sets up its network at each boot."""
    lines = [
        "ip link set lo up",
        f"ip addr add {address}/24 dev vec0",
        "ip link set vec0 up",
        f"ip route add default via {SWITCH}",
        *(f"sysctl -qw net.ipv4.conf.{place}.route_localnet=1" for place in ("all", "vec0", "lo")),
    ]
    own = "-d 127.0.0.0/8 -p tcp"
    to = f"-j DNAT --to-destination {SWITCH}"
    lines += [f"iptables-legacy -t nat -A OUTPUT {own} --dport {port} {to}" for port in ports]
    lines.append("iptables-legacy -t nat -A POSTROUTING -s 127.0.0.0/8 -o vec0 -j MASQUERADE")
    return "\n".join(lines) + "\n"
