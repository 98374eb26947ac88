import tomllib

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferagent.config.locate import locate

DOCUMENT = '''\
# a comment with [brackets] and = signs
mode = "act"  # "quoted" comment

[drain]
settle = "1s"
"dead line" = 'a # b'
nested.one.two = 3

[[engine]]
kind = "vllm"
command = [
  "a", # first ]
  'b',

  """c
  ]] = """,
]
serves = { chat = "x", "q:8b" = { deep = [1, 2] } }
[engine.environment]
A = """
[fake]
key = 1
"""
[[engine]]
kind = \'\'\'lit
[[engine]]
\'\'\'
[ "quoted.table" . inner ]
date = 1979-05-27 07:32:00
last = "\\"\\\\"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("mode",), 2),
        (("drain",), 4),
        (("drain", "settle"), 5),
        (("drain", "dead line"), 6),
        (("drain", "nested", "one", "two"), 7),
        (("engine",), 9),
        (("engine", 0), 9),
        (("engine", 0, "kind"), 10),
        (("engine", 0, "command"), 11),
        (("engine", 0, "command", 0), 12),
        (("engine", 0, "command", 1), 13),
        (("engine", 0, "command", 2), 15),
        (("engine", 0, "serves"), 18),
        (("engine", 0, "serves", "chat"), 18),
        (("engine", 0, "serves", "q:8b", "deep", 1), 18),
        (("engine", 0, "environment"), 19),
        (("engine", 0, "environment", "A"), 20),
        (("engine", 1), 24),
        (("engine", 1, "kind"), 25),
        (("quoted.table", "inner"), 28),
        (("quoted.table", "inner", "date"), 29),
        (("quoted.table", "inner", "last"), 30),
    ],
)
def test_every_kind_of_key_is_found(path, line):
    assert locate(DOCUMENT)[path] == line


def test_nothing_inside_a_string_or_comment_is_taken_for_a_key():
    assert set(locate(DOCUMENT)) == set(_paths(tomllib.loads(DOCUMENT)))


def test_windows_line_ends_count_once():
    assert locate("a = 1\r\n\r\nb = 2\r\n")[("b",)] == 3


@pytest.mark.parametrize("quote", ['""""x"""" ', "''''x''''", '""', "''", '""""""', "''''''", '"""a""b"""'])
def test_strings_end_where_toml_says(quote):
    text = f"a = {quote}\nb = [{quote}, {quote}]\n"
    assert locate(text) == {("a",): 1, ("b",): 2, ("b", 0): 2, ("b", 1): 2}


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=0, max_size=6)
LEAVES = st.one_of(st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), KEYS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_document_yields_exactly_the_keys_that_tomllib_reads(data):
    text = tomlkit.dumps(data)
    read = tomllib.loads(text)
    lines = locate(text)
    assert set(lines) == set(_paths(read))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def _paths(value, at=()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*at, key)
        yield from _paths(inner, (*at, key))
