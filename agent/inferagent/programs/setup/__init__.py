"""Setup: what one host needs at Cloudflare and on its disk, made or taken over by a plan, and undone.

Each name is loaded when it is first used: the agent reads the record alone, and need not carry the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferagent.programs.setup.record import made_pool
    from inferagent.programs.setup.refusal import ask_nobody
    from inferagent.programs.setup.request import (
        BadRequestError,
        ConnectorRequest,
        EngineRequest,
        SetupRequest,
    )
    from inferagent.programs.setup.running import run
    from inferagent.programs.setup.undoing import undo

__all__ = [
    "BadRequestError",
    "ConnectorRequest",
    "EngineRequest",
    "SetupRequest",
    "ask_nobody",
    "made_pool",
    "run",
    "undo",
]

_HOMES = {"ask_nobody": "refusal", "made_pool": "record", "run": "running", "undo": "undoing"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    found = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'request')}"), name)
    globals()[name] = found
    return found
