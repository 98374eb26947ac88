import pytest

from inferagent.config.blank import Blank
from inferagent.config.kinds import Argv, Url

PROGRAM, ADDRESS = Blank(Argv()), Blank(Url(("https",), path=True))


def test_a_blank_says_that_there_is_none():
    assert PROGRAM.parse([]) == ()
    assert ADDRESS.parse("") == ""


def test_anything_else_is_as_its_kind_takes_it():
    assert PROGRAM.parse(["mail", "-s", "x"]) == ("mail", "-s", "x")
    assert ADDRESS.parse("https://a.example.com/x/") == "https://a.example.com/x"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (PROGRAM, "", r"must be a list of texts .*, or \[\], not"),
        (PROGRAM, [""], r"must be a list"),
        (PROGRAM, None, r"must be a list"),
        (ADDRESS, [], r"must be a URL that begins with https://, or an empty text, not a list"),
        (ADDRESS, "http://a.b", "must be a URL"),
        (ADDRESS, False, "must be a URL"),
        (ADDRESS, "https://me:pw@a.b", "must not carry a user or a password"),
    ],
)
def test_what_neither_takes_is_refused_in_the_kind_s_words(kind, value, said):
    with pytest.raises(ValueError, match=said):
        kind.parse(value)
