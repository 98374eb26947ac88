"""Random stories of the fleet: no law is broken, each is met often enough, and without its rule it is."""

from collections.abc import Callable
from functools import cache

import pytest
from tests.fleet.gather import Told, gather, red, seldom

STORIES, SEED = 510, 20261122
RULES = [f"S{number}" for number in range(1, 9)]


@cache
def told() -> Told:
    return gather(STORIES, SEED)


@pytest.mark.timeout(400)
def test_no_law_is_broken(record_property: Callable[[str, object], None]) -> None:
    record_property("figure", f"fleet: {told().line()}, 0 laws broken")
    assert told().tally.stories >= STORIES * 0.95


def test_every_law_has_something_to_forbid_in_one_story_of_twenty() -> None:
    assert seldom(told()) == {}


@pytest.mark.parametrize("name", RULES)
def test_without_its_rule_a_law_is_broken(name: str) -> None:
    assert red(name, told())
