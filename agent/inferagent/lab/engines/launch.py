"""The command lines of engines for the lab: the real program where one is named, a stand-in else."""

import os
import sys
from pathlib import Path

VLLM_SMALL = ("--enforce-eager", "--max-model-len", "1024", "--dtype", "float32")


def vllm(port: int, public: str, more: tuple[str, ...] = (), program: str = "", model: str = "") -> list[str]:
    """`vllm serve` on loopback, answering to the public model name. `program` names a real one, which
    needs `model`, the folder of a small model, and gets the options that suit one on a CPU."""
    head = [program] if program else [sys.executable, "-m", "inferagent.lab.engines.vllm"]
    small = VLLM_SMALL if program else ()
    place = ["--host", "127.0.0.1", "--port", str(port), "--served-model-name", public]
    return [*head, "serve", model or "lab-model", *place, *small, *more]


def ollama(*arguments: str, program: str = "") -> list[str]:
    """One `ollama` command; the port and the folder of models stand in its environment."""
    head = [program] if program else [sys.executable, "-m", "inferagent.lab.engines.ollama"]
    return [*head, *arguments]


def ollama_environment(port: int, models: Path) -> dict[str, str]:
    """For `serve` and for the commands that ask it. A real one also wants a home to keep a key in."""
    home = os.environ.get("HOME") or str(models)
    return {"OLLAMA_HOST": f"127.0.0.1:{port}", "OLLAMA_MODELS": str(models), "HOME": home}
