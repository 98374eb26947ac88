"""The log on stderr: a reader that has stopped, or ended, costs lines and never the agent's time."""

import io
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from inferagent.runtime.standard_error import PIECE, StandardError


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """Its reading end, and a stream on the writing end."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        yield reader, stream
    with suppress(OSError):
        os.close(reader)


def fill(stream: io.TextIOWrapper) -> None:
    """As a reader that has stopped leaves it; a test that then waits on it hangs."""
    handle = stream.fileno()
    os.set_blocking(handle, False)
    for size in (PIECE, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(handle, b"." * size)
    os.set_blocking(handle, True)


def test_a_line_goes_out_at_its_end(pipe: tuple[int, io.TextIOWrapper]) -> None:
    reader, stream = pipe
    log = StandardError(stream)
    log.write("half")
    log.write(" and whole\n")
    log.flush()
    assert os.read(reader, 100) == b"half and whole\n"


def test_what_a_full_pipe_does_not_take_is_counted_and_said_later(
    pipe: tuple[int, io.TextIOWrapper],
) -> None:
    reader, stream = pipe
    log = StandardError(stream)
    fill(stream)
    log.write("one\n")
    log.write("two\n")
    while len(os.read(reader, 1 << 20)) == 1 << 20:
        pass
    log.write("three\n")
    log.write("four\n")
    assert os.read(reader, 1000).decode() == "2 lines of this log are lost: nobody took them\nthree\nfour\n"


def test_a_line_longer_than_a_piece_goes_out_whole(pipe: tuple[int, io.TextIOWrapper]) -> None:
    reader, stream = pipe
    StandardError(stream).write("x" * (3 * PIECE) + "\n")
    assert os.read(reader, 1 << 20) == b"x" * (3 * PIECE) + b"\n"


def test_a_reader_that_has_ended_ends_nobody(pipe: tuple[int, io.TextIOWrapper]) -> None:
    reader, stream = pipe
    os.close(reader)
    assert StandardError(stream).write("unheard\n") == len("unheard\n")


def test_a_stream_in_memory_gets_its_lines() -> None:
    stream = io.StringIO()
    StandardError(stream).write("told\n")
    assert stream.getvalue() == "told\n"
