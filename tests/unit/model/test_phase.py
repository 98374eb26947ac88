"""The arrows: six, listed, printed; every other one raises; every phase is left by one."""

from itertools import product
from pathlib import Path

import pytest

from inferagent.model.phase import ARROWS, Phase, check_arrow, diagram

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("start", "end"), [pair for pair in product(Phase, Phase) if pair not in ARROWS])
def test_an_arrow_that_is_not_listed_raises(start: Phase, end: Phase) -> None:
    with pytest.raises(ValueError, match=f"cannot go from {start} to {end}"):
        check_arrow(start, end)


@pytest.mark.parametrize(("start", "end"), list(ARROWS))
def test_a_listed_arrow_passes(start: Phase, end: Phase) -> None:
    assert check_arrow(start, end) is None


def test_no_phase_is_a_dead_end() -> None:
    assert {start for start, _ in ARROWS} == set(Phase)
    assert len(ARROWS) == 6


def test_the_readme_carries_what_the_code_prints() -> None:
    assert diagram() in (ROOT / "README.md").read_text("utf-8")
