"""Events: the words of what would have been done."""

import pytest

from inferagent.model.event import past


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("drain", "drained"),
        ("watch", "watched"),
        ("restart engine", "restarted the engine"),
        ("start connector", "started the connector"),
        ("fly", "fly"),
    ],
)
def test_a_deed_in_the_past(deed: str, words: str) -> None:
    assert past(deed) == words
