"""The results: kept after each row, found again by the next run; the summary is made from them."""

import pytest
from tests.matrix.book import Book
from tests.matrix.play import Result
from tests.matrix.row import rows
from tests.matrix.summary import BEGIN, END, table, write


def result(name, green=True, **fields):
    return Result(name, green, "2026-11-01", ["real vLLM (v)", "stand-in connector"], **fields)


def test_what_was_green_is_known_to_the_next_run(tmp_path):
    Book("real", tmp_path).add(result("b-b"))
    Book("real", tmp_path).add(result("a-a", green=False))
    book = Book("real", tmp_path)
    assert (book.green("b-b"), book.green("a-a"), book.green("c-c")) == (True, False, False)
    assert list(book.kept) == ["a-a", "b-b"]
    assert not Book("stand-in", tmp_path).kept


def test_the_summary_counts_groups_and_names_the_real_programs(tmp_path):
    row = next(row for row in rows() if row.real and row.does == "leaves")
    of = sum(each.group == row.group for each in rows())
    Book("stand-in", tmp_path).add(result(row.name, out_s=1.25))
    Book("real", tmp_path).add(result(row.name, out_s=2.5))
    said = table(tmp_path)
    assert f"| {row.group} | {of} | 1 of {of} | 1 of " in said
    assert "1.2 / 2.5" in said
    assert said.endswith("Real programs on 2026-11-01: real vLLM (v).\n")


def test_a_run_that_never_was_is_said(tmp_path):
    assert "not yet played with real programs" in table(tmp_path)


def test_the_summary_stands_between_its_marks(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(readme, tmp_path)
    assert readme.read_text() == f"before\n{BEGIN}\n{table(tmp_path)}{END}\nafter\n"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="has no"):
        write(readme, tmp_path)
