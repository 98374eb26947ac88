"""Which programs a host of the lab runs: the real ones where they are found, stand-ins else."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

PUBLIC_NAME = "chat"


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine; `about` says what it is, `serves` is its own name for the public model."""

    kind: str
    about: str
    real: bool
    command: tuple[str, ...]
    serves: str
    environment: dict[str, str] = field(default_factory=dict)

    def bound_to(self, port: int, host: str) -> "Engine":
        """The same engine with its port, and its name in the answers of a stand-in."""
        lab = {} if self.real else {"LAB_HOST_NAME": host}
        if self.kind == "ollama":
            own = {"OLLAMA_HOST": f"127.0.0.1:{port}"}
            return Engine(
                self.kind,
                self.about,
                self.real,
                self.command,
                self.serves,
                {**self.environment, **own, **lab},
            )
        command = (*self.command, "--host", "127.0.0.1", "--port", str(port))
        return Engine(self.kind, self.about, self.real, command, self.serves, {**self.environment, **lab})


@dataclass(frozen=True, slots=True)
class Connector:
    about: str
    real: bool
    command: tuple[str, ...]


def connector(edges: list[str], cacert: str, real: bool = True) -> Connector:
    """cloudflared pointed at the lab's edge; `real` False: the stand-in, although a real one is there."""
    binary = _found("INFERAGENT_CLOUDFLARED", "cloudflared") if real else ""
    flags = ("--cacert", cacert, "--protocol", "http2", "--no-prechecks")
    edge = tuple(part for address in edges for part in ("--edge", address))
    if binary:
        return Connector(f"real cloudflared ({binary})", True, (binary, "tunnel", *edge, *flags, "run"))
    stand_in = (sys.executable, "-m", "inferagent.lab.connector")
    return Connector("stand-in connector", False, (*stand_in, "tunnel", *edge, *flags, "run"))


def vllm(_folder: Path, real: bool = True) -> Engine:
    """The real one needs a model: INFERAGENT_VLLM_MODEL names its folder."""
    binary = _found("INFERAGENT_VLLM", "vllm") if real else ""
    model = os.environ.get("INFERAGENT_VLLM_MODEL", "")
    named = ("--served-model-name", PUBLIC_NAME)
    if binary and model:
        small = ("--enforce-eager", "--max-model-len", "1024", "--max-num-seqs", "8", "--dtype", "float32")
        return Engine(
            "vllm", f"real vLLM ({binary})", True, (binary, "serve", model, *named, *small), PUBLIC_NAME
        )
    command = (sys.executable, "-m", "inferagent.lab.engines.vllm", "serve", "Qwen/Qwen3-8B", *named)
    said = "stand-in vLLM" + (" (set INFERAGENT_VLLM_MODEL for the real one)" if binary else "")
    lab = {"LAB_START_SECONDS": "1.5", "LAB_TOKENS_PER_SECOND": "40"}
    return Engine("vllm", said, False, command, PUBLIC_NAME, lab)


def ollama(folder: Path, real: bool = True) -> Engine:
    """The real one needs a store that holds `chat`: OLLAMA_MODELS, or the user's own."""
    binary = _found("INFERAGENT_OLLAMA", "ollama") if real else ""
    store = Path(os.environ.get("OLLAMA_MODELS", Path.home() / ".ollama" / "models"))
    holds = any(store.glob(f"manifests/**/{PUBLIC_NAME}/latest"))
    if binary and holds:
        home = {"OLLAMA_MODELS": str(store), "HOME": str(folder)}
        return Engine("ollama", f"real Ollama ({binary})", True, (binary, "serve"), PUBLIC_NAME, home)
    said = "stand-in Ollama" + (f" (the real one has no model {PUBLIC_NAME}: ollama cp)" if binary else "")
    lab = {
        "OLLAMA_MODELS": str(folder / "models"),
        "OLLAMA_NUM_PARALLEL": "4",
        "LAB_MODELS": f"llama3:8b,{PUBLIC_NAME}",
        "LAB_TOKENS_PER_SECOND": "40",
    }
    command = (sys.executable, "-m", "inferagent.lab.engines.ollama", "serve")
    return Engine("ollama", said, False, command, PUBLIC_NAME, lab)


def _found(variable: str, name: str) -> str:
    """A binary named by the environment, or on PATH; "" where there is none."""
    named = os.environ.get(variable, "")
    if named and not os.access(named, os.X_OK):
        raise SystemExit(f"cannot run {variable}={named}: no such program")
    return named or shutil.which(name) or ""
