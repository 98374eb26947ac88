"""Every key of the schema, misspelt, of the wrong type and out of range: generated, none is left out."""

import copy
from datetime import date
from pathlib import Path

import pytest
import tomlkit

from inferagent.config import kinds
from inferagent.config.errors import ConfigError, dotted
from inferagent.config.fragments import SHIPPED
from inferagent.config.known import LISTS, examples, known_keys, table_of
from inferagent.config.load import load

TABLES = {names: info for names, info in known_keys().items() if table_of(info) is not None}
VALUES = {names: info for names, info in known_keys().items() if table_of(info) is None}


def whole() -> dict:
    """A document that says every key (the connector and the engine are commands)."""
    document: dict = {}
    for names, value in examples().items():
        if names[-1] in ("unit", "image") or names in TABLES:
            continue
        put(document, names, copy.deepcopy(value))
    for name in LISTS:
        document[name] = [document[name]]
    return document


def put(document: dict, names: tuple[str, ...], value: object) -> None:
    table = document
    for name in names[:-1]:
        table = table.setdefault(name, {})
        table = table[0] if isinstance(table, list) else table
    table[names[-1]] = value


def drop(document: dict, names: tuple[str, ...]) -> object:
    table = document
    for name in names[:-1]:
        table = table[name][0] if isinstance(table[name], list) else table[name]
    return table.pop(names[-1], None)


def write(folder: Path, document: dict) -> str:
    text = tomlkit.dumps(document)
    (folder / "config.toml").write_text(text)
    return text


def problems(folder: Path) -> tuple:
    with pytest.raises(ConfigError) as caught:
        load(folder)
    return caught.value.problems


def key_of(names: tuple[str, ...]) -> str:
    return dotted((names[0], 0, *names[1:]) if names[0] in LISTS and len(names) > 1 else names)


def line_of(text: str, word: str, table: str) -> int:
    """Found by plain search, unlike the code under test: the first such word after its table's header."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if line.strip("[]") == table), 0) if table else 0
    return (
        next(
            n
            for n in range(start, len(lines))
            if lines[n].startswith((f"{word} ", f"[{word}]", f"[[{word}]]", f"[{table}.{word}]"))
        )
        + 1
    )


def test_the_whole_document_is_right(tmp_path):
    write(tmp_path, whole())
    loaded = load(tmp_path)
    assert loaded.settings is not None
    assert loaded.settings.drain.settle == 10.0
    assert loaded.agent.run == Path("/run/inferagent")


@pytest.mark.parametrize("names", list(known_keys()), ids=dotted)
def test_a_misspelt_key_names_file_line_key_nearest_and_cure(tmp_path, names):
    document = whole()
    value = drop(document, names)
    if value is None:
        value = examples()[names]
    misspelt = names[-1][:-1] + "x" + names[-1][-1]
    put(document, (*names[:-1], misspelt), value)
    text = write(tmp_path, document)
    (problem,) = [one for one in problems(tmp_path) if one.what == "is no key of inferagent"]
    assert problem.place.file == str(tmp_path / "config.toml")
    assert problem.place.line == line_of(text, misspelt, names[0] if len(names) > 1 else "")
    assert problem.key == key_of((*names[:-1], misspelt))
    assert problem.nearest == key_of(names)
    assert problem.nearest in problem.cure


def wrong_types(info) -> list:
    kind = next((one for one in info.metadata if isinstance(one, kinds.Kind)), None)
    scalars = {
        "a number": 3.5,
        "a flag": True,
        "a date": date(1979, 5, 27),
        "a table": {"a": {"b": 1}},
    }
    if isinstance(kind, kinds.Flag):
        scalars["a flag"] = "true"
    if isinstance(kind, kinds.Pairs):
        scalars["a table"] = [1]
    return [*scalars.values(), [[]]]


@pytest.mark.parametrize("names", list(VALUES), ids=dotted)
def test_a_mistyped_value_names_file_line_key_and_cure(tmp_path, names):
    for wrong in wrong_types(VALUES[names]):
        document = whole()
        put(document, names, wrong)
        text = write(tmp_path, document)
        (problem,) = problems(tmp_path)
        assert problem.key == key_of(names), wrong
        assert problem.what.startswith("must be "), wrong
        assert problem.cure.startswith(f"write {names[-1]} = "), wrong
        if not isinstance(wrong, dict):
            assert problem.place.line == line_of(text, names[-1], names[0] if len(names) > 1 else "")


RANGED = {
    names: kind
    for names, info in VALUES.items()
    for kind in info.metadata
    if isinstance(kind, kinds.Duration | kinds.Whole)
}


@pytest.mark.parametrize("names", list(RANGED), ids=dotted)
def test_a_value_out_of_range_names_its_limits(tmp_path, names):
    kind = RANGED[names]
    if isinstance(kind, kinds.Duration):
        outside = [
            f"{round(kind.low * 1000) - 1}ms",
            f"{round(kind.high * 1000) + 1}ms",
            "0s",
            "-1s",
            "10",
            "",
        ]
    else:
        outside = [kind.low - 1, kind.high + 1, -(2**63), 2**62]
    for value in outside:
        document = whole()
        put(document, names, value)
        text = write(tmp_path, document)
        (problem,) = problems(tmp_path)
        assert (problem.key, problem.place.line) == (key_of(names), line_of(text, names[-1], names[0]))
        assert "must be" in problem.what
        assert problem.cure.startswith("write ")


@pytest.mark.parametrize("names", list(RANGED), ids=dotted)
def test_the_limits_themselves_are_inside(names):
    kind = RANGED[names]
    for edge in (kind.low, kind.high):
        value = f"{round(edge * 1000)}ms" if isinstance(kind, kinds.Duration) else edge
        assert kind.parse(value) == edge


NO_TABLES = [
    (names, value) for names in TABLES for value in (3, "x", []) if (names, value) != (("check",), [])
]


@pytest.mark.parametrize(("names", "value"), NO_TABLES, ids=str)
def test_a_table_that_is_none_names_file_line_key_and_cure(tmp_path, names, value):
    document = whole()
    document[names[0]] = value
    text = tomlkit.dumps({names[0]: document.pop(names[0])}) + tomlkit.dumps(document)
    (tmp_path / "config.toml").write_text(text)
    problem = problems(tmp_path)[0]
    assert (problem.key, problem.place.line) == (names[0], 1)
    assert "must be a " in problem.what or "takes one engine" in problem.what
    assert f"[{names[0]}]" in problem.cure


@pytest.mark.parametrize(
    "names", [names for names, info in known_keys().items() if info.is_required()], ids=dotted
)
def test_a_key_that_is_left_out_has_a_default_or_is_asked_for(tmp_path, names):
    document = whole()
    drop(document, names)
    text = write(tmp_path, document)
    try:
        load(tmp_path)
    except ConfigError as error:
        (problem,) = [one for one in error.problems if one.key.startswith(key_of(names))]
        assert problem.what == "is missing"
        inside = len(names) > 1
        assert problem.place.line == (line_of(text, names[0], "") if inside else 1)
        assert names[-1] in problem.cure


def test_all_errors_of_all_files_come_at_once_in_their_order(tmp_path):
    document = whole()
    document["ready"]["port"] = 0
    document["drain"]["settle"] = 10
    write(tmp_path, document)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text("[probe]\nlok = '1s'\n")
    found = [(Path(one.place.file).name, one.key) for one in problems(tmp_path)]
    assert found == [("a.toml", "probe.lok"), ("config.toml", "ready.port"), ("config.toml", "drain.settle")]


def test_a_misspelt_required_key_is_not_missing_as_well(tmp_path):
    document = whole()
    put(document, ("connector", "hostnam"), drop(document, ("connector", "hostname")))
    write(tmp_path, document)
    assert [one.key for one in problems(tmp_path)] == ["connector.hostnam"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (("membership", "api_token"), "hunter2hunter2"),
        (("tunnel-token",), "hunter2hunter2"),
        (("engine", "environment"), {"HF_TOKEN": "hunter2hunter2"}),
        (("connector", "environment"), {"TUNNEL_TOKEN": "hunter2hunter2"}),
        (("connector", "command"), ["cloudflared", "--token", "hunter2hunter2"]),
        (("engine", "command"), ["vllm", "--api-key=hunter2hunter2"]),
    ],
)
def test_a_secret_is_refused_and_never_repeated(tmp_path, key, value):
    document = whole()
    put(document, key, value)
    write(tmp_path, document)
    (problem,) = problems(tmp_path)
    assert "secret" in problem.what
    assert "credentials/" in problem.cure
    assert problem.place.line > 0
    assert "hunter2" not in str(problem)


def test_a_missing_configuration_is_unconfigured_and_no_error(tmp_path):
    loaded = load(tmp_path / "nowhere")
    assert loaded.settings is None
    assert loaded.agent.state == Path("/var/lib/inferagent")


def test_every_effective_key_names_its_origin(tmp_path):
    document = whole()
    del document["drain"]
    write(tmp_path, document)
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text("\n[drain]\nsettle = '2s'\n")
    origins = {one.key: (one.value, one.origin) for one in load(tmp_path).effective}
    assert origins["drain.settle"] == ('"2s"', f"{tmp_path}/conf.d/a.toml:3")
    assert origins["drain.quiet"] == ('"3s"', SHIPPED)
    assert origins["engine[0].kind"][1].startswith(f"{tmp_path}/config.toml:")
    assert set(origins) >= {key_of(names) for names in VALUES if names[-1] not in ("unit", "image")}


def test_values_of_an_environment_stay_hidden(tmp_path):
    document = whole()
    put(document, ("engine", "environment"), {"GREETING": "hello"})
    write(tmp_path, document)
    shown = {one.key: one.value for one in load(tmp_path).effective}
    assert shown["engine[0].environment"] == '{ GREETING = "hidden" }'


def test_a_key_below_the_wrong_table_is_moved_and_not_written_again(tmp_path):
    text = tomlkit.dumps(whole())
    (tmp_path / "config.toml").write_text(text + '\nmode = "act"\n')
    (wrong,) = problems(tmp_path)
    assert wrong.key.endswith(".mode")
    assert (wrong.what, wrong.cure) == (
        "stands in the wrong table",
        "move it above the first [table] of the file",
    )
    assert wrong.nearest == "mode"


def test_a_key_of_another_table_is_moved_there(tmp_path):
    document = whole()
    document["ready"]["settle"] = "10s"
    write(tmp_path, document)
    (wrong,) = problems(tmp_path)
    assert (wrong.key, wrong.cure) == ("ready.settle", "move it under [drain]")


def test_gpus_as_a_text_are_refused_with_the_list_that_was_meant(tmp_path):
    document = whole()
    document["engine"][0]["gpus"] = "0,1"
    write(tmp_path, document)
    (wrong,) = problems(tmp_path)
    assert wrong.what.startswith('must be "all" or a list of GPU numbers')
    assert wrong.cure == "write gpus = [0, 1]"
