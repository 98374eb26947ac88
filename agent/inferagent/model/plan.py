"""A Plan: everything that would change outside, shown first, applied step by step, undone in reverse."""

from dataclasses import dataclass
from typing import Protocol


class Step(Protocol):
    """One change, idempotent by name: applying it when it is done already changes nothing.

    `change` says it to a person ("make pool gpu-home, disabled"). `apply` returns what `undo` needs to put
    things back exactly (a JSON value), which is kept in the undo record.
    """

    @property
    def name(self) -> str: ...
    @property
    def change(self) -> str: ...
    def apply(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that are still needed, in order; empty when all is as wanted."""

    title: str
    steps: tuple[Step, ...]

    def lines(self) -> tuple[str, ...]:
        """One line a step, for the screen."""
        return tuple(f"{number}. {step.change}" for number, step in enumerate(self.steps, 1))
