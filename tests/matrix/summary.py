"""The README's summary of the fault matrix, made from the results; between two marks in the text."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.matrix.book import FOLDER, Book
from tests.matrix.row import Row, rows

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- faults -->", "<!-- /faults -->"
KINDS = ("stand-in", "real")


def table(folder: Path = FOLDER) -> str:
    """One line a group: rows, green of them, the slowest leaving, lost requests."""
    books = {kind: Book(kind, folder) for kind in KINDS}
    head = (
        "| faults of | rows | green, stand-ins | green, real programs | slowest out, s (stand-ins / real) |"
    )
    lines = [head, "|---|---|---|---|---|"]
    every = rows()
    groups = list(dict.fromkeys(row.group for row in every))
    lines += [_line(group, [row for row in every if row.group == group], books) for group in groups]
    stays = [row for row in every if row.must_not_drain]
    lines.append(_line("of them: must stay in", stays, books))
    return "\n".join(lines) + "\n" + _versions(books["real"])


def _line(name: str, of: list[Row], books: dict[str, Book]) -> str:
    real = [row for row in of if row.real]
    green = [
        sum(books["stand-in"].green(row.name) for row in of),
        sum(books["real"].green(row.name) for row in real),
    ]
    out = " / ".join(_slowest(of, books[kind]) for kind in KINDS)
    return f"| {name} | {len(of)} | {green[0]} of {len(of)} | {green[1]} of {len(real)} | {out} |"


def _slowest(of: Iterable[Row], book: Book) -> str:
    times = [book.kept.get(row.name, {}).get("out_s") for row in of]
    return max((f"{time:.1f}" for time in times if time is not None), key=float, default="–")


def _versions(book: Book) -> str:
    kept: list[dict[str, Any]] = list(book.kept.values())
    dates = sorted({str(result["date"]) for result in kept})
    if not dates:
        return "\nThe matrix was not yet played with real programs.\n"
    named = {about.partition("+")[0] for result in kept for about in result["programs"]}
    said = "; ".join(sorted(about for about in named if about.startswith("real")))
    return f"\nReal programs on {' to '.join(dict.fromkeys((dates[0], dates[-1])))}: {said}.\n"


def write(readme: Path = README, folder: Path = FOLDER) -> None:
    """Put the summary between the marks. ValueError when the marks are not there."""
    before, _, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"cannot write the summary: {readme.name} has no {BEGIN} … {END}")
    readme.write_text(f"{before}{BEGIN}\n{table(folder)}{END}{after}")
