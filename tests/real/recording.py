"""What was recorded from a program, as files of a folder: answers in one JSON file, each metrics page apart.

`about.json` says which program and version it was, so that a reader need not guess.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "fixtures" / "recordings"


@dataclass
class Answer:
    """One answer: `body` is JSON, text, or the list of what a stream said."""

    asked: str
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Recording:
    """`exits` are exit codes by what ended the program, `logs` lists of records by what happened."""

    program: str
    version: str
    answers: dict[str, Answer] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    exits: dict[str, int] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def save(recording: Recording, folder: Path) -> None:
    """Replaces what lay there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    put(folder / "about.json", {"program": recording.program, "version": recording.version})
    put(folder / "answers.json", {name: vars(answer) for name, answer in recording.answers.items()})
    put(folder / "exits.json", recording.exits)
    if recording.logs:
        put(folder / "logs.json", recording.logs)
    for name, text in recording.metrics.items():
        (folder / f"metrics-{name}.txt").write_text(text)


def put(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def load(folder: Path) -> Recording:
    about = json.loads((folder / "about.json").read_text())
    logs = folder / "logs.json"
    return Recording(
        about["program"],
        about["version"],
        {name: Answer(**one) for name, one in json.loads((folder / "answers.json").read_text()).items()},
        {
            path.stem.removeprefix("metrics-"): path.read_text()
            for path in sorted(folder.glob("metrics-*.txt"))
        },
        json.loads((folder / "exits.json").read_text()),
        json.loads(logs.read_text()) if logs.exists() else {},
    )
