"""The results, one JSON file a kind of run: a row that is green there need not be played again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.matrix.play import Result

FOLDER = Path(__file__).with_name("results")


class Book:
    """`results/<kind>.json`: the last result of each row, written after each of them."""

    def __init__(self, kind: str, folder: Path = FOLDER) -> None:
        self.file = folder / f"{kind}.json"
        self.kept: dict[str, dict[str, Any]] = {}
        if self.file.exists():
            self.kept = json.loads(self.file.read_text())

    def green(self, name: str) -> bool:
        return bool(self.kept.get(name, {}).get("green"))

    def add(self, result: Result) -> None:
        self.kept[result.row] = asdict(result)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        beside = self.file.with_suffix(".part")
        ordered = dict(sorted(self.kept.items()))
        beside.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")
        beside.replace(self.file)
