"""One check of doctor by itself, on a configuration in a folder, with looks that are given."""

import asyncio
from pathlib import Path
from typing import Any

from inferagent.programs.doctor.running import Result, examine
from inferagent.programs.doctor.sight import Direction, Look
from inferagent.programs.doctor.table import CHECKS

TUNNEL = "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e"
CONFIG = f"""
mode = "act"
[agent]
state = "STATE"
run = "RUN"
[host]
name = "gpu-a"
[[engine]]
kind = "KIND"
url = "http://127.0.0.1:8000"
command = ["vllm", "serve"]
serves = {{ chat = "Qwen/Qwen3-8B" }}
[connector]
command = ["cloudflared", "tunnel", "run"]
hostname = "gpu-a.example.com"
tunnel = "{TUNNEL}"
[membership]
kind = "own-pool"
account = "a1"
zone = "z1"
pool = "p1"
load_balancer = "l1"
"""


def configured(folder: Path, kind: str = "vllm", more: str = "") -> Direction:
    """A host whose folders are below `folder`; nothing of it runs."""
    home = folder / "etc"
    home.mkdir(exist_ok=True)
    text = CONFIG.replace("STATE", str(folder / "state")).replace("RUN", str(folder / "run"))
    (home / "config.toml").write_text(text.replace("KIND", kind) + more)
    return Direction(home, deadline=3.0, root=folder / "root", environ={})


def judged(name: str, direction: Direction, given: dict[Look[Any], object] | None = None) -> Result:
    """The outcome of that check alone: what it needs is not asked for."""
    (check,) = [check for check in CHECKS if check.name == name]
    known = {look.name: value for look, value in (given or {}).items()}
    (result,) = asyncio.run(examine([check], direction, known))
    return result
