"""A private switch in a network namespace of its own, and one wire from it to each host."""

import ctypes
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

NETWORK = "10.88.0"
SWITCH = f"{NETWORK}.254"
CLONE_NEWNET = 0x40000000


def run(*argv: str) -> str:
    """What it printed; AssertionError with its complaint when it failed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"cannot {' '.join(argv)}: {done.stderr.strip()}"
    return done.stdout


class Switch:
    """`name` is its namespace. What listens on the loopback of the switch is reached by hosts at SWITCH."""

    def __init__(self, prefix: str) -> None:
        self.name = f"{prefix}-switch"
        self._wires: list[str] = []

    def open(self) -> None:
        run("ip", "netns", "add", self.name)
        self._ip("link", "set", "lo", "up")
        self._ip("link", "add", "trunk", "type", "bridge")
        self._ip("addr", "add", f"{SWITCH}/24", "dev", "trunk")
        self._ip("link", "set", "trunk", "up")
        self.inside("sysctl", "-qw", "net.ipv4.conf.trunk.route_localnet=1")
        rule = f"iifname trunk ip daddr {SWITCH} dnat to 127.0.0.1"
        self.inside(
            "nft", f"table ip ia {{\nchain in {{\ntype nat hook prerouting priority dstnat\n{rule}\n}}\n}}"
        )

    def enter(self) -> None:
        """This process itself goes to the switch: what it starts and asks is there from now on."""
        libc = ctypes.CDLL(None, use_errno=True)
        with (Path("/run/netns") / self.name).open() as file:
            code = libc.setns(file.fileno(), CLONE_NEWNET)
        assert code == 0, f"cannot enter {self.name}: {os.strerror(ctypes.get_errno())}"

    def redirect(self, number: int, ports: Sequence[int]) -> None:
        """These ports of the host's own loopback lead to the loopback of the switch."""
        name = self._wires[number - 1]
        for place in ("all", "eth0", "lo"):
            run("ip", "netns", "exec", name, "sysctl", "-qw", f"net.ipv4.conf.{place}.route_localnet=1")
        listed = ", ".join(str(port) for port in ports)
        rules = f"""table ip ia {{
            chain out {{
                type nat hook output priority -100
                ip daddr 127.0.0.0/8 tcp dport {{ {listed} }} dnat to {SWITCH}
            }}
            chain after {{
                type nat hook postrouting priority srcnat
                oifname eth0 ip saddr 127.0.0.0/8 masquerade
            }}
        }}"""
        run("ip", "netns", "exec", name, "nft", rules)

    def inside(self, *argv: str) -> str:
        return run("ip", "netns", "exec", self.name, *argv)

    def wire(self, prefix: str, number: int) -> Path:
        """The namespace of one host, with the address NETWORK.number."""
        name, port = f"{prefix}-h{number}", f"to-h{number}"
        run("ip", "netns", "add", name)
        self._wires.append(name)
        self._ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._ip("link", "set", port, "master", "trunk", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "addr", "add", f"{NETWORK}.{number}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "route", "add", "default", "via", SWITCH)
        return Path("/run/netns") / name

    def tap(self, number: int) -> str:
        """A wire for a host that brings its own kernel: the name of the end that it takes."""
        name = f"to-h{number}"
        self._ip("tuntap", "add", "dev", name, "mode", "tap")
        self._ip("link", "set", name, "master", "trunk", "up")
        return name

    def plug(self, number: int, *, in_: bool) -> None:
        """Pull the cable of a host, or put it back."""
        self._ip("link", "set", f"to-h{number}", "up" if in_ else "down")

    def close(self) -> None:
        for name in [*self._wires, self.name]:
            subprocess.run(["ip", "netns", "del", name], check=False)

    def _ip(self, *argv: str) -> None:
        run("ip", "-n", self.name, *argv)
