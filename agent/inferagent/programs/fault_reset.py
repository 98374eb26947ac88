"""Asks for a reset of the GPUs at its socket, which only root and the agent's user may open."""

import os
from pathlib import Path

from inferagent.adapters.units.verbs import FOLDER, Verbs


async def reset_gpus(folder: Path | None = None) -> str:
    """What the driver's tool said. PortError says why no GPU was reset, and the cure."""
    place = folder or Path(os.environ.get("INFERAGENT_VERBS", FOLDER))
    return await Verbs("gpu", "the GPUs", place).ask("reset")
