import tomllib

import pytest

from inferagent.config.errors import dotted
from inferagent.config.fragments import shipped_fragment, shipped_text
from inferagent.config.known import (
    LISTS,
    example_line,
    examples,
    gpu_list,
    known_keys,
    nearest_key,
    spell,
    table_of,
    table_with,
)

OTHER = {"unit", "command", "image"}  # one of the first two is shown, and a digest stands for itself


def test_the_shipped_file_explains_every_key_and_no_other():
    assert set(examples()) == set(known_keys())


def test_the_shipped_file_has_a_comment_for_every_key():
    above = ""
    for line in shipped_text().splitlines():
        name = line.lstrip("#").partition(" =")[0]
        if line.startswith("# ") or not line:
            above = line
        elif name != line:
            assert above.startswith("# "), f"{name} has no comment above it"


def test_every_required_key_has_a_default_or_is_an_example_in_a_comment():
    data = shipped_fragment().data
    for names, info in known_keys().items():
        shipped = data
        for name in names:
            shipped = shipped.get(name) if isinstance(shipped, dict) else None
        commented = shipped is None
        assert not (
            commented and not info.is_required() and names[0] not in {*LISTS, "connector", "membership"}
        ), names


def test_the_defaults_of_what_may_stand_more_than_once_are_those_that_the_file_shows():
    for names, info in known_keys().items():
        if names[0] in LISTS and len(names) > 1 and not info.is_required() and names[-1] not in OTHER:
            (kind,) = info.metadata
            assert kind.parse(examples()[names]) == info.get_default(
                call_default_factory=True, validated_data={}
            )


def test_every_value_that_the_file_shows_is_valid():
    for names, info in known_keys().items():
        if table_of(info) is None:
            (kind,) = info.metadata
            kind.parse(examples()[names])
    assert len(examples()) > 40


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        (("drain", "setle"), "drain.settle"),
        (("engine", 0, "ulr"), "engine[0].url"),
        (("settle",), "drain.settle"),
        (("membership", "loadbalancer"), "membership.load_balancer"),
        (("Drain",), "drain"),
        (("xyzzy",), ""),
    ],
)
def test_the_nearest_key(path, nearest):
    assert nearest_key(path) == nearest


@pytest.mark.parametrize(
    ("path", "written", "line"),
    [
        (("drain", "settle"), None, 'settle = "10s"'),
        (("engine", 0, "kind"), "vlm", 'kind = "vllm"'),
        (("engine", 0, "kind"), "lama", 'kind = "ollama"'),
        (("engine",), None, "[[engine]]"),
        (("check",), None, "[[check]]"),
        (("check", 0, "effect"), "drian", 'effect = "drain"'),
        (("notify", "exec"), None, "exec = []"),
        (("drain",), None, "[drain]"),
    ],
)
def test_an_example_is_ready_to_paste(path, written, line):
    assert example_line(path, written) == line


@pytest.mark.parametrize("value", ['a"b\\c\n\té', {"a b": [1, True], "c": {}}, [], "", 1.5])
def test_what_is_spelt_is_toml(value):
    assert tomllib.loads(f"x = {spell(value)}") == {"x": value}


def test_tables_are_told_from_values():
    tables = {dotted(names) for names, info in known_keys().items() if table_of(info)}
    assert tables >= {"engine", "connector", "membership", "drain"}
    assert "engine.serves" not in tables


@pytest.mark.parametrize(
    ("path", "table"),
    [
        (("check", 0, "mode"), ()),
        (("engine", 0, "mode"), ()),
        (("ready", "settle"), ("drain",)),
        (("drain", "joins_per_hour"), ("limits",)),
        (("metrics", "url"), ("engine",)),
        (("drain", "name"), None),  # of several tables
        (("drain", "nonsense"), None),
        (("drain", "limits"), None),
    ],
)
def test_where_a_key_belongs_that_stands_elsewhere(path, table):
    assert table_with(path) == table


@pytest.mark.parametrize(
    ("written", "meant"),
    [("0,1", [0, 1]), (" 2 ", [2]), ("all", None), ("0,,1", None), ([0], None), ("٢", None)],
)
def test_a_text_that_means_a_list_of_gpus(written, meant):
    assert gpu_list(written) == meant
