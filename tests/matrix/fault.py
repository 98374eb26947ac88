"""What strikes a host: one class a fault, found by its name in the table."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


class CannotHereError(Exception):
    """This machine cannot inject the fault; the text says what it lacks. The row is skipped by name."""


class Fault:
    """A fault does its deeds in this order; each may be left out.

    before: the hosts are made, not provisioned (settings, environment) · start: provisioned, the struck
    host's agent not started · strike: the fault · heal: undoes what does not end by itself · check: what
    else must hold at the end, as problems in words.
    """

    waits_for_serving = True  # False: the strike falls before the struck host's agent starts
    wants_traffic = True

    async def before(self, stage: "Stage") -> None:
        """Nothing is to be prepared."""

    async def start(self, stage: "Stage") -> None:
        """Nothing is to be prepared."""

    async def strike(self, stage: "Stage") -> None:
        raise NotImplementedError

    async def heal(self, stage: "Stage") -> None:
        """It ends by itself."""

    async def check(self, stage: "Stage") -> list[str]:
        return []


KNOWN: dict[str, type[Fault]] = {}


def fault(name: str) -> Callable[[type[Fault]], type[Fault]]:
    """Makes the class known to the table by this name."""

    def known(kind: type[Fault]) -> type[Fault]:
        assert name not in KNOWN, f"{name} is known already"
        KNOWN[name] = kind
        return kind

    return known


@cache
def known() -> dict[str, type[Fault]]:
    """All of them, once the files of `faults/` are read."""
    for file in sorted(Path(__file__).with_name("faults").glob("*.py")):
        import_module(f"tests.matrix.faults.{file.stem}")
    return KNOWN
