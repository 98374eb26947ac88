"""Hosts that serve: the lab's account and edge on the switch, engine and connector as units of each host.

Each host is provisioned by `inferagent setup` in the host itself. The account's API and the edge stand on the
loopback of the switch, and answer at the same addresses on the loopback of each host.
"""

import ctypes
import json
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hosts.host import Host, until
from tests.hosts.lab import Lab, host_lab
from tests.hosts.product import PARTS_LIB

PR_SET_PDEATHSIG = 1
PORTS = {"api": 9100, "public": 9101, "tunnel": 7844}
CA, TOKEN = "/etc/inferagent/lab-ca.pem", "/etc/inferagent/lab-api-token"
LIB = "/usr/lib/inferagent/lib"
CONNECTOR = ("/usr/bin/python3", "-m", "inferagent.lab.connector", "tunnel", "--cacert", CA)
CONNECTOR += ("--protocol", "http2", "--no-prechecks", "--edge", f"127.0.0.1:{PORTS['tunnel']}")
CONNECTOR += ("--edge", f"127.0.0.2:{PORTS['tunnel']}", "run")
ENGINE = ("/usr/bin/python3", "-m", "inferagent.lab.engines.vllm", "serve", "Qwen/Qwen3-8B")
ENGINE += ("--served-model-name", "chat", "--host", "127.0.0.1", "--port", "8000")
ENGINE_LAB = {"LAB_START_SECONDS": "0.3", "LAB_TOKENS_PER_SECOND": "40"}
UNITS = ("inferagent-engine.service", "inferagent-connector.service", "inferagent.service")
AGENT = UNITS[2]
SETTINGS = {
    "drain.settle": "2s",
    "drain.quiet": "1s",
    "limits.hold_off": "1s",
    "limits.joins_per_hour": 60,
    "limits.restarts_per_hour": 20,
    "probe.look": "500ms",
    "probe.membership": "1s",
}
SAID = "pool changes arrive within 1 s, the monitor looks every 1 s, settle 2 s, quiet 1 s, hold-off 1 s"


class Stage:
    """`info`: what the lab's cloud said of itself."""

    def __init__(self, lab: Lab, info: dict[str, Any], folder: Path, lib: str = LIB) -> None:
        self.lab, self.info, self.folder, self.lib = lab, info, folder, lib
        self.public_host = f"llm.{info['zone_name']}"

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.info["lab"] + path, timeout=10) as answer:
            return json.load(answer)

    def pool(self, host: Host) -> dict[str, Any]:
        pools = self.ask("/state")["pools"].values()
        return next((pool for pool in pools if pool["name"] == host.name), {})

    def routes_to(self, host: Host) -> bool:
        return bool(self.ask("/edge")["routed"].get(self.pool(host).get("id")))

    def writes(self) -> list[dict[str, Any]]:
        """Every accepted write that changed membership."""
        return [
            each for each in self.ask("/journal") if each["method"] == "PATCH" and "/pools/" in each["path"]
        ]

    def add(self, weight: int = 50, settings: Mapping[str, str | int] = SETTINGS) -> Host:
        """A booted host, provisioned, whose units do not run yet. `settings` beside the usual ones."""
        host = self.boot()
        self.provision(host, weight, settings)
        return host

    def provision(self, host: Host, weight: int = 50, settings: Mapping[str, str | int] = SETTINGS) -> None:
        host.run("inferagent", *self._setup(host, weight, {**SETTINGS, **settings}))

    def boot(self, *extra: str) -> Host:
        """A host that reaches the cloud, not provisioned. `extra`: more arguments of systemd-nspawn."""
        host = self.lab.boot(*extra)
        self._reach(host)
        self.equip(host)
        return host

    def equip(self, host: Host) -> None:
        """What it needs before it is provisioned."""
        host.write(CA, Path(self.info["cacert"]).read_text())
        host.write(TOKEN, Path(self.info["api_token_file"]).read_text(), 0o600)
        host.run("systemd-sysusers")
        host.run("systemd-tmpfiles", "--create")

    def _reach(self, host: Host) -> None:
        """Its loopback leads to the switch where the cloud's ports are meant."""
        self.lab.switch.redirect(host.number, [PORTS["api"], PORTS["tunnel"]])

    def words(self, host: Host, without: Sequence[str] = (), **more: str) -> list[str]:
        """Of `inferagent setup` on this host: those of `add`, but for some options, and with others."""
        usual = self._setup(host, 50, SETTINGS)
        kept: list[str] = []
        for option, value in zip(usual[1:-1:2], usual[2:-1:2], strict=True):
            kept += [] if option in without else [option, value]
        added = [word for name, value in more.items() for word in (f"--{name.replace('_', '-')}", value)]
        return ["setup", *kept, *added]

    def _setup(self, host: Host, weight: int, settings: Mapping[str, str | int]) -> list[str]:
        pairs = {
            "--host": host.name,
            "--public": self.public_host,
            "--api": self.info["api"],
            "--api-token-file": TOKEN,
            "--weight": str(weight),
            "--membership": "own-pool",
            "--monitor-interval": "5",
            "--engine": "vllm",
            "--engine-url": "http://127.0.0.1:8000",
            "--engine-unit": UNITS[0],
            "--engine-command": shlex.join(ENGINE),
            "--serves": "chat=chat",
            "--connector-unit": UNITS[1],
            "--connector-command": shlex.join(CONNECTOR),
            "--connector-env": f"PYTHONPATH={self.lib}",
            "--metrics": "127.0.0.1:20241",
        }
        words = [word for pair in pairs.items() for word in pair]
        named = {"PYTHONPATH": self.lib, "LAB_HOST_NAME": host.name, **ENGINE_LAB}
        for key, value in named.items():
            words += ["--engine-env", f"{key}={value}"]
        for key, setting in settings.items():
            words += ["--set", f"{key}={setting}"]
        return ["setup", *words, "--yes"]

    def serve(self, host: Host, seconds: float = 90.0) -> None:
        """Start its units and wait until the edge routes to it."""
        host.run("systemctl", "start", *UNITS)
        self.until_serving(host, seconds)

    def until_serving(self, host: Host, seconds: float = 90.0) -> None:
        def serving() -> bool:
            return status(host).get("phase") == "serving" and self.routes_to(host)

        try:
            until(serving, f"{host.name} serves", seconds, 0.1)
        except AssertionError as missed:  # what the host says by then
            raise AssertionError(f"{missed}: {explain(host)}") from None


def status(host: Host) -> dict[str, Any]:
    """The Status document, {} while the agent does not answer."""
    done = host.try_run("inferagent", "status", "--json")
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def explain(host: Host) -> str:
    """For a failed wait: what the host says of itself."""
    units = ("--unit=inferagent*",)
    journal = host.try_run("journalctl", "--no-pager", "-n", "60", "-o", "cat", *units).stdout
    return f"{host.try_run('inferagent', 'status').stdout}\n{journal}"


def pids(host: Host) -> dict[str, int]:
    """Main pids of what must outlive the agent."""
    names = (*UNITS[:2], "inferagent-ready.service")
    return {name: host.main_pid(name) for name in names}


@contextmanager
def stage(*, tests: bool = False, bare: bool = False, more: str = "", debian: str = "") -> Iterator[Stage]:
    """Raises NoHostsError where this machine cannot boot hosts; all is meant as in `host_lab`."""
    with host_lab(tests=tests, bare=bare, more=more, debian=debian) as lab:
        lab.switch.enter()
        folder = lab.folder / "cloud"
        folder.mkdir()
        argv = [sys.executable, "-m", "inferagent.lab.cloud", "--dir", str(folder), "--seed", "7"]
        argv += ["--api-port", str(PORTS["api"]), "--public-port", str(PORTS["public"])]
        argv += ["--tunnel-port", str(PORTS["tunnel"]), "--lag", "0", "1", "--cache", "0.5"]
        argv += ["--latency", "0.05", "--monitor-interval-min", "1", "--interval-scale", "0.2"]
        log = folder / "log"
        with log.open("w") as output:
            cloud = subprocess.Popen(argv, stdout=output, stderr=output, preexec_fn=_die_with_us)
        try:
            info = until(lambda: _said(cloud, log), "the account and the edge", 60.0)
            yield Stage(lab, info, folder, f"/{PARTS_LIB}" if bare else LIB)
        finally:
            cloud.send_signal(signal.SIGTERM)
            try:
                cloud.wait(5.0)
            except subprocess.TimeoutExpired:
                cloud.kill()
                cloud.wait()


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _said(cloud: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    text = log.read_text()
    assert cloud.poll() is None, f"cannot start the account and the edge: {text}"
    found = [line for line in text.splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
    return json.loads(found[0]) if found else {}
