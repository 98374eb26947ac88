"""The table is whole: read without error, every strike known, what the issue of the fault needs."""

import pytest
from tests.matrix.fault import known
from tests.matrix.row import TableError, rows

ROW = """
[[row]]
name = "{name}"
fault = "f"
injected = "i"
strike = "kill-main"
does = "leaves"
bound = 5
{more}
"""


def table(folder, **files):
    for stem, texts in files.items():
        (folder / f"{stem}.toml").write_text("".join(texts))
    return folder


def test_the_table_is_read_and_everything_in_it_can_strike():
    every = rows()
    assert every
    assert {row.strike for row in every} <= set(known())


def test_what_must_stay_loses_nothing_and_restarts_nothing():
    for row in rows():
        if row.must_not_drain and row.group in ("vllm", "ollama"):
            assert (row.loses, row.repair) in {("nothing", "none"), ("in-flight", "none")}, row.name


def test_the_group_is_the_files_name(tmp_path):
    folder = table(tmp_path, ollama=[ROW.format(name="a-b", more='real = ["ollama"]')])
    assert [(row.name, row.group) for row in rows(folder)] == [("a-b", "ollama")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('real = ["vllm"]\nroots = []', "roots"),
        ("", "without real programs it needs a why"),
        ('real = ["vllm"]\nback = -1', "back"),
        ('real = ["docker"]', "real"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, more, said):
    with pytest.raises(TableError, match=said):
        rows(table(tmp_path, vllm=[ROW.format(name="a-b", more=more)]))


def test_a_name_stands_once(tmp_path):
    one = ROW.format(name="a-b", more='real = ["vllm"]')
    with pytest.raises(TableError, match="a-b stands there twice"):
        rows(table(tmp_path, vllm=[one], ollama=[one]))
