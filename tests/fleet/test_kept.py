"""Stories that failed once: each is told in every run."""

from pathlib import Path

import pytest
from tests.fleet.gather import KEPT
from tests.fleet.story import read, tell


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.json")), ids=lambda path: path.stem)
def test_a_story_that_failed_once_goes_well(path: Path) -> None:
    judged = tell(read(path.read_text()))
    assert not judged.broken, "\n".join([*judged.broken, judged.told])
