"""Setup: what one host needs at Cloudflare and on its disk, made or taken over by a plan, and undone."""

from inferagent.programs.setup.record import made_pool
from inferagent.programs.setup.request import (
    BadRequestError,
    ConnectorRequest,
    EngineRequest,
    SetupRequest,
)
from inferagent.programs.setup.running import run
from inferagent.programs.setup.undoing import undo

__all__ = ["BadRequestError", "ConnectorRequest", "EngineRequest", "SetupRequest", "made_pool", "run", "undo"]
