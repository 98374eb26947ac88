"""The event file: bounded, readable after a cut at any byte, and never in anybody's way."""

import os
import resource
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inferagent.adapters import event_file
from inferagent.adapters.event_file import BEFORE, MODE, NAME, EventFile
from inferagent.model.event import Episode, Event, EventKind
from inferagent.model.event_line import decode, encode

DEADLINE = 10.0


def event(number: int, text: str = "serving", episode: Episode | None = None) -> Event:
    kind = EventKind.WOULD if episode else EventKind.PHASE
    return Event("2026-11-22T12:00:00+01:00", "b", float(number), kind, text, episode=episode)


def write(file: EventFile, *events: Event) -> None:
    file.append(events)
    file.flush(DEADLINE)


def numbers(path: Path) -> list[int]:
    """Of the events that can be read, in their order."""
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            found.append(int(decode(line).at))
        except ValueError:
            continue
    return found


def test_events_are_lines_in_their_order(tmp_path: Path) -> None:
    state = tmp_path / "not" / "yet"
    file = EventFile(state)
    write(file, event(1), event(2))
    write(file, event(3))
    assert (state / NAME).read_bytes() == b"".join(encode(event(n)) for n in (1, 2, 3))
    assert file.problem == ""
    assert (state / NAME).stat().st_mode & 0o777 == MODE & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_nothing_is_written_for_nothing(tmp_path: Path) -> None:
    write(EventFile(tmp_path))
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(("left", "step"), [(b"", 1), (b"\0" * 50, 1), (b"\0", 7), (b"{", 7)])
def test_after_a_cut_at_any_byte_all_whole_lines_stand_and_the_next_begins_anew(
    tmp_path: Path, left: bytes, step: int
) -> None:
    """`left`: what a file system may leave in place of what was lost."""
    path = tmp_path / NAME
    write(EventFile(tmp_path), *(event(n) for n in range(4)))
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in range(len(whole) - len(lines[-1]) - len(lines[-2]), len(whole) + 1, step):
        path.write_bytes(whole[:cut] + left)
        kept = whole[:cut].count(b"\n")
        assert numbers(path)[:kept] == list(range(kept))
        write(EventFile(tmp_path), event(9))
        read = numbers(path)
        assert (read[:kept], read[-1]) == (list(range(kept)), 9)
        assert len(read) - kept in (1, 2)  # the line that lacked only its end may count


def test_two_generations_and_never_less_than_the_last_half(tmp_path: Path) -> None:
    limit = 2000
    file = EventFile(tmp_path, limit)
    line, written = len(encode(event(10))), 0
    for number in range(10, 99):
        write(file, event(number))
        written += line
        sizes = [path.stat().st_size for path in tmp_path.iterdir()]
        assert max(sizes) <= limit
        kept = numbers(tmp_path / BEFORE) if (tmp_path / BEFORE).exists() else []
        kept += numbers(tmp_path / NAME) if (tmp_path / NAME).exists() else []
        assert kept == list(range(number - len(kept) + 1, number + 1))
        assert sum(sizes) >= min(written, limit - line)
    assert {path.name for path in tmp_path.iterdir()} == {NAME, BEFORE}


def test_many_events_at_once_fill_generations_in_order(tmp_path: Path) -> None:
    file = EventFile(tmp_path, 2000)
    write(file, *(event(n) for n in range(40)))
    found = numbers(tmp_path / BEFORE) + numbers(tmp_path / NAME)
    assert found == list(range(found[0], 40))
    assert len(found) >= 15


def test_a_line_longer_than_a_generation_is_written_all_the_same(tmp_path: Path) -> None:
    write(EventFile(tmp_path, 10), event(1), event(2))
    assert (numbers(tmp_path / BEFORE), numbers(tmp_path / NAME)) == ([1], [2])


def test_what_cannot_be_written_is_said_once_and_written_later(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()  # fails, whoever we are
    file = EventFile(tmp_path)
    write(file, event(1))
    assert file.problem == f"cannot write the events in {tmp_path / NAME}: Is a directory"
    write(file, event(2))
    (tmp_path / NAME).rmdir()
    write(file)
    assert file.problem == ""
    assert numbers(tmp_path / NAME) == [1, 2]


def test_an_unwritable_folder_is_a_problem_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = EventFile(tmp_path / "file" / "state")
    write(file, event(1))
    assert "Not a directory" in file.problem


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    (tmp_path / NAME).symlink_to(tmp_path / "other")
    file = EventFile(tmp_path)
    write(file, event(1))
    assert file.problem
    assert (tmp_path / "other").read_bytes() == b""


@pytest.fixture
def largest_file() -> Iterator[object]:
    """Sets how large a file of this process may grow: a disk that gets full in the middle of a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_gets_full_within_a_line_loses_no_event(tmp_path: Path, largest_file) -> None:
    file = EventFile(tmp_path)
    write(file, event(1))
    largest_file((tmp_path / NAME).stat().st_size + 20)
    write(file, event(2))
    problem = file.problem
    write(file)
    largest_file(resource.RLIM_INFINITY)
    assert "cannot write the events" in problem
    write(file, event(3))
    assert numbers(tmp_path / NAME) == [1, 2, 3]
    assert file.problem == ""


def test_the_oldest_that_wait_are_lost_first_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    file = EventFile(tmp_path)
    write(file, *(event(n) for n in range(event_file.WAITING + 5)))
    assert "the oldest that waited are lost" in file.problem
    (tmp_path / NAME).rmdir()
    write(file)
    assert file.problem == ""
    assert numbers(tmp_path / NAME) == list(range(5, event_file.WAITING + 5))


def test_a_disk_that_hangs_holds_up_nobody_and_is_said(tmp_path: Path) -> None:
    now = [0.0]
    file = _Hanging(tmp_path, clock=lambda: now[0])
    begun = time.monotonic()
    file.append([event(1)])
    file.append([event(2)])
    file.flush(0.01)
    assert time.monotonic() - begun < 1.0
    assert file.problem == ""
    now[0] = event_file.PATIENCE + 1.0
    assert "the disk does not answer" in file.problem
    file.go.set()
    file.flush(DEADLINE)
    assert numbers(tmp_path / NAME) == [1, 2]
    assert file.problem == ""


class _Hanging(EventFile):
    """On a disk that answers when it is told to."""

    def __init__(self, state: Path, **more) -> None:
        super().__init__(state, **more)
        self.go = threading.Event()

    def _attempt(self) -> str:
        self.go.wait(DEADLINE)
        return super()._attempt()


def test_the_writer_goes_when_there_is_nothing_to_write(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    write(file, event(1))
    end = time.monotonic() + DEADLINE
    while any(thread.name == "writes the events" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert numbers(tmp_path / NAME) == [1]


def test_appends_from_many_threads_are_all_written(tmp_path: Path) -> None:
    file = EventFile(tmp_path)
    threads = [
        threading.Thread(target=lambda n=n: [file.append([event(n * 100 + k)]) for k in range(50)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    file.flush(DEADLINE)
    assert sorted(numbers(tmp_path / NAME)) == [n * 100 + k for n in range(4) for k in range(50)]


def test_unfinished_are_the_episodes_whose_last_note_is_open(tmp_path: Path) -> None:
    assert EventFile(tmp_path).unfinished() == ()
    drain, watch = Episode("drain", 1.0), Episode("watch", 1.0)
    open_still = event(5, episode=replace(watch, seconds=60.0))
    write(
        EventFile(tmp_path, 300),
        event(1, episode=drain),
        event(2, episode=watch),
        event(3, episode=replace(drain, seconds=9.0, open=False)),
        open_still,
    )
    with (tmp_path / NAME).open("ab") as file:
        file.write(b"{torn")
    assert EventFile(tmp_path).unfinished() == (open_still,)
