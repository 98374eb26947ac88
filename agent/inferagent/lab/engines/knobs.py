"""Settings of the stand-ins, read from the environment so that every process of a tree sees the same.

LAB_START_SECONDS (vLLM: until its port opens), LAB_LOAD_SECONDS (Ollama: until a model is loaded),
LAB_TOKENS_PER_SECOND (of one request), LAB_PREFILL_SECONDS (before the first token),
LAB_ORPHAN_SECONDS (how long a child outlives its parent). The others stand where they are read.
"""

import os


def number(name: str, default: float) -> float:
    """A number of the environment that is zero or more; anything else ends the program."""
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if value < 0:
        raise SystemExit(f"cannot read {name}={text!r}: it is a number, zero or more")
    return value


def names(name: str) -> list[str]:
    """A list of the environment, separated by commas."""
    return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]


def answer_headers() -> dict[str, str]:
    """LAB_HOST_NAME, when set, names the host in each answer, for whoever counts where answers come from."""
    host = os.environ.get("LAB_HOST_NAME", "")
    return {"X-Lab-Host": host} if host else {}
