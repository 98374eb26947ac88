"""More random stories of the fleet, of another seed, beside the first half in another worker."""

from collections.abc import Callable

import pytest
from tests.fleet.gather import red, seldom, told

STORIES, SEED = 510, 20261123
RULES = [f"S{number}" for number in range(9, 17)]
pytestmark = pytest.mark.timeout(1800)  # a minute on a quiet machine; one that fails is shrunk first


def test_no_law_is_broken(record_property: Callable[[str, object], None]) -> None:
    found = told(STORIES, SEED)
    record_property("figure", f"fleet: {found.line()}, 0 laws broken")
    assert found.tally.stories == STORIES


def test_every_law_has_something_to_forbid_in_one_story_of_twenty() -> None:
    assert seldom(told(STORIES, SEED)) == {}


@pytest.mark.parametrize("name", RULES)
def test_without_its_rule_a_law_is_broken(name: str) -> None:
    assert red(name, told(STORIES, SEED))
