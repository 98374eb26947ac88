"""Actions: each has its job slot and its words."""

import pytest

from inferagent.model.action import Action, Move, Proposal, Push, Restart, Start, Stop, describe, slot
from inferagent.model.phase import Phase
from inferagent.model.unit import Part


@pytest.mark.parametrize(
    ("action", "name"),
    [(Push(True), "push"), (Start(Part.ENGINE), "engine"), (Stop(Part.CONNECTOR), "connector")],
)
def test_one_slot_a_kind(action: Action, name: str) -> None:
    assert slot(action) == name


@pytest.mark.parametrize(
    ("proposal", "words"),
    [
        (Push(True), "enable in the pool"),
        (Push(False), "disable in the pool"),
        (Restart(Part.ENGINE), "restart engine"),
        (Move(Phase.OUT), "go to out"),
    ],
)
def test_words(proposal: Proposal, words: str) -> None:
    assert describe(proposal) == words
