"""The environment of the Ollama stand-in, with the real one's names, forms and defaults."""

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from inferagent.lab.engines.knobs import names, number

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
PRIVATE_ENDINGS = (".localhost", ".local", ".internal")


def duration(value: str | float) -> float:
    """Seconds of `5m`, `1h30m`, `-1` or 300; below zero means for ever. Raises ValueError."""
    text = str(value).strip()
    sign, text = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    parts = PART.findall(text)
    if parts and "".join(a + b for a, b in parts) == text:
        return sign * sum(float(amount) * UNITS[unit] for amount, unit in parts)
    return sign * float(text)


def address(text: str) -> tuple[str, int]:
    """Host and port of OLLAMA_HOST in any form that the real one takes."""
    scheme, _, rest = text.strip().rpartition("://")
    default = {"http": 80, "https": 443}.get(scheme, 11434)
    host, _, port = rest.split("/")[0].rpartition(":")
    if not port.isdigit():
        host, port = rest.split("/")[0], str(default)
    return host or "127.0.0.1", int(port)


def loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def admitted(header: str) -> bool:
    """Whether a server bound to loopback answers a request with this Host header."""
    host = header.rpartition(":")[0] if re.search(r":\d+$", header) else header
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        host = host.lower()
        return host in ("", "localhost", socket.gethostname().lower()) or host.endswith(PRIVATE_ENDINGS)
    return ip.is_loopback or ip.is_private or ip.is_unspecified


@dataclass(frozen=True)
class Environment:
    host: str
    port: int
    models: Path
    keep_alive: float
    parallel: int
    max_queue: int
    load_timeout: float
    load_seconds: float
    tokens_per_second: float
    prefill_seconds: float
    orphan_seconds: float
    burn: float
    vram: float
    present: tuple[str, ...]
    default_tokens: int


def read() -> Environment:
    """LAB_MODELS: models that are there from the start. LAB_BURN: the CPU share of a generating
    runner. LAB_VRAM_SHARE: how much of a model /api/ps says is on the GPU. LAB_DEFAULT_TOKENS: the
    length of an answer whose request names none."""
    host, port = address(os.environ.get("OLLAMA_HOST", ""))
    models = os.environ.get("OLLAMA_MODELS", "")
    if not models:
        raise SystemExit("cannot choose a folder for models: set OLLAMA_MODELS")
    return Environment(
        host=host,
        port=port,
        models=Path(models),
        keep_alive=duration(os.environ.get("OLLAMA_KEEP_ALIVE") or "5m"),
        parallel=int(number("OLLAMA_NUM_PARALLEL", 0)) or 1,
        max_queue=int(number("OLLAMA_MAX_QUEUE", 512)),
        load_timeout=duration(os.environ.get("OLLAMA_LOAD_TIMEOUT") or "5m"),
        load_seconds=number("LAB_LOAD_SECONDS", 0.3),
        tokens_per_second=max(number("LAB_TOKENS_PER_SECOND", 100.0), 0.01),
        prefill_seconds=number("LAB_PREFILL_SECONDS", 0.0),
        orphan_seconds=number("LAB_ORPHAN_SECONDS", 300.0),
        burn=number("LAB_BURN", 0.02),
        vram=number("LAB_VRAM_SHARE", 1.0),
        present=tuple(names("LAB_MODELS")),
        default_tokens=int(number("LAB_DEFAULT_TOKENS", 32)),
    )
