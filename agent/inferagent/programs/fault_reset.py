"""Asks for a reset of the GPUs at its socket, which only root and the agent's user may open."""

import os
from pathlib import Path

from inferagent.adapters.units.verbs import FOLDER, Verbs
from inferagent.ports import PortError


async def reset_gpus(folder: Path | None = None) -> str:
    """What the driver's tool said. PortError says why no GPU was reset, and the cure."""
    place = folder or Path(os.environ.get("INFERAGENT_VERBS", FOLDER))
    socket = place / "gpu-reset.sock"
    if socket.exists() and not os.access(socket, os.W_OK):
        raise PortError("cannot reset the GPUs: only root may → sudo inferagent fault reset", refused=True)
    return await Verbs("gpu", "the GPUs", place).ask("reset")
