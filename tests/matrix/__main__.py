"""The live fault matrix: `python -m tests.matrix [--real] [--rows a,b] [--group g] [--again] [--list]`.

Resumable by row: what is green in the results file is not played again, unless --again. The exit code is 1
while any chosen row is not green. Without --real every program is a stand-in.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.matrix.book import FOLDER, Book
from tests.matrix.fault import known
from tests.matrix.play import Result, play
from tests.matrix.row import Row, rows
from tests.matrix.summary import write as write_summary

NAMED = ("INFERAGENT_VLLM", "INFERAGENT_OLLAMA", "INFERAGENT_CLOUDFLARED")
ROW_LIMIT = {"stand-in": 300.0, "real": 900.0}  # seconds: past this a row is red, whatever it waits for


def main() -> None:
    options = _options()
    chosen = _chosen(options)
    if options.list:
        for row in chosen:
            print(f"{row.name:40} {row.does:7} {row.fault}")
        return
    kind = "real" if options.real else "stand-in"
    book = Book(kind, options.results)
    left = [row for row in chosen if options.again or not book.green(row.name)]
    print(
        f"fault matrix, {kind}: {len(chosen)} rows chosen, {len(chosen) - len(left)} green before", flush=True
    )
    with tempfile.TemporaryDirectory(prefix="matrix-", dir=options.dir) as folder:
        here = asyncio.run(_play_all(left, Path(folder), options, book))
    if options.results == FOLDER:
        write_summary()
    lacking = {result.row: result.skipped for result in here if result.skipped}
    red = [row.name for row in chosen if not book.green(row.name) and row.name not in lacking]
    green = len(chosen) - len(red) - len(lacking)
    told = _skipped(options, lacking)
    print(f"fault matrix, {kind}: {green} of {len(chosen)} rows green{told}", flush=True)
    sys.exit(bool(red))


async def _play_all(left: list[Row], folder: Path, options: argparse.Namespace, book: Book) -> list[Result]:
    places, played = asyncio.Semaphore(options.jobs), list[Result]()

    async def one(row: Row) -> None:
        async with places:
            result = await _bounded(row, folder / row.name, options)
        played.append(result)
        if not result.skipped:
            book.add(result)
        _say(result)

    async with asyncio.TaskGroup() as group:
        for row in left:
            group.create_task(one(row))
    return played


async def _bounded(row: Row, folder: Path, options: argparse.Namespace) -> Result:
    limit = ROW_LIMIT["real" if options.real else "stand-in"]
    try:
        async with asyncio.timeout(limit):
            return await play(row, folder, options.real)
    except TimeoutError:
        said = [f"not over within {limit:.0f} s"]
        return Result(row.name, False, time.strftime("%Y-%m-%d"), [], problems=said, took_s=limit)


def _say(result: Result) -> None:
    if result.skipped:
        print(f"SKIP  {result.row:40} {result.skipped}", flush=True)
        return
    mark = "green" if result.green else "RED  "
    times = " ".join(
        f"{word} {value:.1f} s" for word, value in (("out", result.out_s), ("back", result.back_s)) if value
    )
    failed = f"{sum(result.failed.values())}/{result.sent} failed"
    print(f"{mark} {result.row:40} {times} {failed} root: {', '.join(result.roots) or '–'}", flush=True)
    for problem in result.problems:
        print(f"      {problem}", flush=True)


def _chosen(options: argparse.Namespace) -> list[Row]:
    every = rows()
    unknown = sorted({row.strike for row in every} - set(known()))
    if unknown:
        raise SystemExit(f"cannot play the fault matrix: nothing strikes {', '.join(unknown)}")
    names = set(options.rows.split(",")) if options.rows else {row.name for row in every}
    if missing := names - {row.name for row in every}:
        raise SystemExit(f"cannot find row {', '.join(sorted(missing))}: --list names them")
    wanted = [row for row in every if row.name in names and options.group in ("", row.group)]
    return [row for row in wanted if not options.real or _can_be_real(row)]


def _can_be_real(row: Row) -> bool:
    return bool(row.real) and all(os.environ.get(f"INFERAGENT_{one.upper()}") for one in row.real)


def _skipped(options: argparse.Namespace, lacking: dict[str, str]) -> str:
    """The last words of the output: which rows this machine cannot play, and which had no real program."""
    here = f"; SKIPPED {len(lacking)}: " + ", ".join(f"{row} ({why})" for row, why in lacking.items())
    here = here if lacking else ""
    if not options.real:
        return here
    missing = [name for name in NAMED if not os.environ.get(name)]
    never = sum(not row.real for row in rows())
    could = sum(bool(row.real) and not _can_be_real(row) for row in rows())
    said = f"; {never} have no real form"
    return here + said + (f"; SKIPPED {could}: {', '.join(missing)} not set" if could else "")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--real", action="store_true", help="with the programs that the environment names")
    parser.add_argument("--rows", default="", help="names of rows, commas between")
    parser.add_argument("--group", default="", help="vllm, ollama, connector, api, agent or fleet")
    parser.add_argument("--jobs", type=int, default=4, help="rows at once")
    parser.add_argument("--again", action="store_true", help="also those that are green in the results")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder of the results")
    parser.add_argument("--dir", type=Path, default=None, help="folder of what the rows need")
    return parser.parse_args()


if __name__ == "__main__":
    main()
