"""The real programs as units of a booted host, written as their packages and guides write them.

Programs are bound in from this machine, read-only; the Python that one runs in comes along, at its own path.
"""

import re
import shutil
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.host import Host
from tests.hosts.stage import CA, PORTS
from tests.real.store import copy_of

CONNECTOR, METRICS, CLOUDFLARED = "cloudflared.service", "127.0.0.1:20241", "/usr/bin/cloudflared"
TOKEN_FILE = "/etc/cloudflared/token"
CONNECTOR_UNIT = f"""[Unit]
Description=cloudflared
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
TimeoutStartSec=15
ExecStart={CLOUDFLARED} --no-autoupdate tunnel --metrics {METRICS} --cacert {CA} --protocol http2 \
--no-prechecks --edge 127.0.0.1:{PORTS["tunnel"]} --edge 127.0.0.2:{PORTS["tunnel"]} \
run --token-file {TOKEN_FILE}
Restart=on-failure
RestartSec=5s

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """`binds`: here → there; `back`: seconds that a start may take; `models`: is copied to `home`."""

    kind: str
    unit: str
    url: str
    exec_start: str
    binds: Mapping[str, str]
    back: float
    models: str
    settings: Mapping[str, str] | None = None

    @property
    def home(self) -> str:
        return f"/var/lib/{self.kind}"

    def text(self) -> str:
        """Restart=always: an engine that dies may well end with 0."""
        variables = {"HOME": self.home, **(self.settings or {})}
        words = " ".join(f"{name}={value}" for name, value in variables.items())
        return (
            f"[Unit]\nDescription={self.kind}\nAfter=network-online.target\n\n"
            f"[Service]\nExecStart={self.exec_start}\nUser={self.kind}\nGroup={self.kind}\n"
            f"WorkingDirectory={self.home}\nEnvironment={words}\nRestart=always\nRestartSec=3\n\n"
            "[Install]\nWantedBy=default.target\n"
        )


def ollama(named: Mapping[str, str]) -> Engine:
    return Engine(
        kind="ollama",
        unit="ollama.service",
        url="http://127.0.0.1:11434",
        exec_start="/usr/local/bin/ollama serve",
        binds={named["INFERAGENT_OLLAMA"]: "/usr/local/bin/ollama"},
        back=90.0,
        settings={"OLLAMA_MODELS": "/var/lib/ollama/models", "OLLAMA_NUM_PARALLEL": "4"},
        models=named["OLLAMA_MODELS"],
    )


def vllm(named: Mapping[str, str]) -> Engine:
    program = Path(named["INFERAGENT_VLLM"])
    flags = "--served-model-name chat --host 127.0.0.1 --port 8000 --enforce-eager --max-model-len 1024"
    flags += " --max-num-seqs 8 --dtype float32 --shutdown-timeout 15"
    same = {str(program), *map(str, pythons_of(program))}
    return Engine(
        kind="vllm",
        unit="vllm.service",
        url="http://127.0.0.1:8000",
        exec_start=f"{program} serve /var/lib/vllm/models {flags}",
        binds={path: path for path in sorted(same)} | libraries(),
        back=600.0,
        models=named["INFERAGENT_VLLM_MODEL"],
    )


def libraries() -> dict[str, str]:
    """What vLLM on a CPU loads, and a small Debian has not."""
    place = Path(f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/libnuma.so.1")
    return {str(place): str(place)} if place.exists() else {}


def pythons_of(program: Path) -> set[Path]:
    """The virtual environments that a program, or a script that becomes it, names, and their Pythons."""
    head = program.read_bytes()[:4096].decode(errors="replace")
    found: set[Path] = set()
    for word in {str(program), *re.findall(r"/[^\s\"':$]+", head)}:
        for folder in Path(word).parents:
            settings = folder / "pyvenv.cfg"
            if settings.is_file():
                found |= {folder, _base(settings.read_text())}
    return {path for path in found if path.is_dir()}


def _base(settings: str) -> Path:
    """The folder of the Python that an environment was made of."""
    home = re.search(r"^home\s*=\s*(\S+)", settings, re.MULTILINE)
    return Path(home[1]).resolve().parent if home else Path("/nowhere")


def binds(engine: Engine, cloudflared: str) -> list[str]:
    """Arguments of systemd-nspawn."""
    both = {cloudflared: CLOUDFLARED, **engine.binds}
    return [f"--bind-ro={Path(here).resolve()}:{there}" for here, there in both.items()]


def install(host: Host, engine: Engine) -> None:
    """Both units are there; the engine runs, the connector waits for its token."""
    host.run("useradd", "--system", "--user-group", "--create-home", "--home-dir", engine.home, engine.kind)
    copy = copy_of if engine.kind == "ollama" else shutil.copytree
    copy(Path(engine.models), host.path(f"{engine.home}/models"))
    host.run("chown", "-R", f"{engine.kind}:{engine.kind}", engine.home)
    ways = {str(parent) for there in engine.binds.values() for parent in Path(there).parents}
    host.run("chmod", "a+x", *ways)  # a Python may stand below a folder that is somebody's alone
    host.write(f"/etc/systemd/system/{engine.unit}", engine.text())
    host.write(f"/etc/systemd/system/{CONNECTOR}", CONNECTOR_UNIT)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--now", engine.unit)
