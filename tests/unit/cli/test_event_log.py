"""Reading the event file: both generations, torn lines, and what comes while one looks."""

from pathlib import Path

import pytest

from inferagent.cli.event_log import PACE, Line, Tail, UnreadableError, follow, parse, read, unreadable
from inferagent.model.event import Event, EventKind
from inferagent.model.event_line import encode


def event(number: int) -> bytes:
    return encode(Event("2026-11-22T12:00:00+01:00", "b", float(number), EventKind.PHASE, "serving"))


def at(lines: list[Line]) -> list[float | None]:
    return [line.event.at if line.event else None for line in lines]


def put(state: Path, content: bytes, name: str = "events.jsonl") -> None:
    with (state / name).open("ab") as file:
        file.write(content)


def test_both_generations_oldest_first(tmp_path: Path) -> None:
    put(tmp_path, event(3))
    assert at(read(tmp_path)) == [3.0]
    put(tmp_path, event(1) + event(2), "events.1.jsonl")
    assert at(read(tmp_path)) == [1.0, 2.0, 3.0]
    (tmp_path / "events.jsonl").unlink()  # right after a generation was full
    assert at(read(tmp_path)) == [1.0, 2.0]


def test_a_generation_under_both_names_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, event(1))
    (tmp_path / "events.1.jsonl").hardlink_to(tmp_path / "events.jsonl")
    assert at(read(tmp_path)) == [1.0]


def test_torn_lines_are_kept_as_unreadable(tmp_path: Path) -> None:
    put(tmp_path, event(1) + b'{"schema": 1, "wa\n' + b"\0\0\0\n\n" + event(2) + event(3)[:-9])
    assert at(read(tmp_path)) == [1.0, None, None, 2.0, None]
    assert at(list(parse([b"\xff"]))) == [None]


def test_no_file_and_no_right_to_read_have_their_cures(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"cannot find events in .*no agent has written any") as missing:
        read(tmp_path / "nowhere")
    assert missing.value.cure == "inferagent config check && sudo systemctl start inferagent"
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(UnreadableError, match=r"cannot read .*events.jsonl: is a directory") as wrong:
        read(tmp_path)
    assert wrong.value.cure.startswith("sudo ls -l")
    denied = unreadable(tmp_path, PermissionError(13, "Permission denied"))  # root is denied nothing
    assert (str(denied), denied.cure) == (
        f"cannot read {tmp_path}: permission denied",
        "run the command with sudo",
    )


def test_a_tail_tells_what_is_appended_whole_and_through_generations(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    put(tmp_path, event(1))
    tail = Tail(tmp_path)
    assert tail.lines() == []
    put(tmp_path, event(2)[:20])
    assert tail.lines() == []
    put(tmp_path, event(2)[20:] + event(3))
    assert at(tail.lines()) == [2.0, 3.0]
    put(tmp_path, event(4))
    path.rename(tmp_path / "events.1.jsonl")
    assert at(tail.lines()) == [4.0]
    put(tmp_path, event(5))
    assert at(tail.lines()) == [5.0]
    path.write_bytes(event(6)[:0])
    assert tail.lines() == []
    put(tmp_path, event(7))
    assert at(tail.lines()) == [7.0]
    tail.close()


def test_a_tail_waits_for_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "state")
    assert tail.lines() == []
    (tmp_path / "state").mkdir()
    put(tmp_path / "state", event(1))
    assert at(tail.lines()) == [1.0]
    tail.close()


def test_following_looks_at_its_pace_and_ends_at_its_limit(tmp_path: Path) -> None:
    put(tmp_path, event(1))
    tail, now, found = Tail(tmp_path), [0.0], list[Line]()

    def sleep(seconds: float) -> None:
        now[0] += seconds
        put(tmp_path, event(int(now[0] / PACE) + 1))

    follow(tail, found.append, 2.0, lambda: now[0], sleep)
    tail.close()
    assert now[0] == 2.0
    assert at(found) == [2.0, 3.0, 4.0]
