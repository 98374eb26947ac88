"""The golden files and the states that they show."""

from pathlib import Path

from tests.golden import inside, lent, outside, repairs, words
from tests.golden.made import State, shown

FOLDER = Path(__file__).with_name("status")
STATES: dict[str, State] = {**inside.STATES, **outside.STATES, **repairs.STATES, **lent.STATES}


def texts() -> dict[str, str]:
    """By name of the file."""
    return {name: shown(state.document()) for name, state in STATES.items()} | words.texts()
