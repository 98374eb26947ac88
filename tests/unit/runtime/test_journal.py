"""The journal's protocol, against a socket that reads it as the journal does, and a real one if one runs."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.runtime.journal import LONGEST, JournalLogger, encode, fields_of, listens

PROGRAM = """
import sys
from pathlib import Path
import structlog
from inferagent.runtime.logs import configure
configure(journal=Path(sys.argv[1]))
log = structlog.get_logger()
codes = ["engine-gone", "no-edge"]
log.warning("out, recovering", phase="out", label="recovering", cause="engine-gone", findings=codes)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("tick failed by a bug")
"""


def decode(raw: bytes) -> list[tuple[str, str]]:
    """As the journal reads it."""
    found = []
    while raw:
        head, _, rest = raw.partition(b"\n")
        if b"=" in head:
            name, _, value = head.partition(b"=")
        else:
            size = int.from_bytes(rest[:8], "little")
            name, value, rest = head, rest[8 : 8 + size], rest[9 + size :]
        found.append((name.decode(), value.decode()))
        raw = rest
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "journal"))
        listener.settimeout(10)
        yield listener


def test_a_line_has_its_sentence_and_its_fields() -> None:
    event = {
        "event": "out",
        "level": "error",
        "phase": "out",
        "label": "",
        "cause": "a",
        "findings": ["a", "b"],
    }
    assert fields_of(event) == [
        ("MESSAGE", "out (also b)"),
        ("PRIORITY", "3"),
        ("SYSLOG_IDENTIFIER", "inferagent"),
        ("INFERAGENT_FINDING", "a"),
        ("INFERAGENT_FINDING", "b"),
        ("INFERAGENT_PHASE", "out"),
        ("INFERAGENT_CAUSE", "a"),
    ]


def test_other_keys_stand_in_the_text_too() -> None:
    event = {"event": "acting", "level": "info", "action": "restart engine", "why": "it hangs"}
    found = dict(fields_of(event))
    assert found["MESSAGE"] == "acting action='restart engine' why='it hangs'"
    assert (found["INFERAGENT_ACTION"], found["PRIORITY"]) == ("restart engine", "6")


@given(st.lists(st.tuples(st.sampled_from(["MESSAGE", "INFERAGENT_X"]), st.text(max_size=50))))
def test_whatever_a_field_holds_it_stays_one_field(fields: list[tuple[str, str]]) -> None:
    assert decode(encode(fields)) == fields


def test_a_huge_text_is_cut_so_that_it_goes_through(journal: socket.socket, tmp_path: Path) -> None:
    logger = JournalLogger(tmp_path / "journal")
    logger.error(event="x" * 10 * LONGEST, level="error")
    assert len(dict(decode(journal.recv(1 << 20)))["MESSAGE"]) == LONGEST
    logger.close()


def test_what_the_journal_does_not_take_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = JournalLogger(tmp_path / "nobody")
    logger.warning(event="out", level="warning")
    assert capsys.readouterr().err == "<4>out\n"
    logger.close()


def run(tmp_path: Path, path: Path, stream: str | None = None) -> str:
    """The program with stderr in a file; `stream` instead of the true JOURNAL_STREAM."""
    with (tmp_path / "stderr").open("w+") as stderr:
        found = os.fstat(stderr.fileno())
        named = stream or f"{found.st_dev}:{found.st_ino}"
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path)],
            stderr=stderr,
            env={**os.environ, "JOURNAL_STREAM": named},
            check=True,
        )
        stderr.seek(0)
        return stderr.read()


def test_under_systemd_the_log_goes_to_the_journal_alone(journal: socket.socket, tmp_path: Path) -> None:
    assert run(tmp_path, tmp_path / "journal") == ""
    first, second = decode(journal.recv(65536)), dict(decode(journal.recv(65536)))
    assert ("MESSAGE", "out, recovering (also no-edge)") in first
    assert ("INFERAGENT_FINDING", "no-edge") in first
    assert ("PRIORITY", "4") in first
    assert second["MESSAGE"].startswith("tick failed by a bug\nTraceback")
    assert "ZeroDivisionError" in second["MESSAGE"]
    assert second["PRIORITY"] == "3"


@pytest.mark.parametrize(("stream", "path"), [("1:2", "journal"), (None, "nobody")])
def test_elsewhere_it_is_a_line_on_stderr(
    journal: socket.socket, tmp_path: Path, stream: str | None, path: str
) -> None:
    said = run(tmp_path, tmp_path / path, stream)
    assert "level='warning' event='out, recovering' phase='out'" in said


def test_a_closed_stderr_is_no_journal(tmp_path: Path) -> None:
    assert not listens({}, tmp_path)
    assert not listens({"JOURNAL_STREAM": ""}, tmp_path)


RUNNING = Path("/run/systemd/journal/socket").is_socket() and shutil.which("journalctl")


@pytest.mark.skipif(not RUNNING, reason="no journal runs here")
def test_a_real_journal_finds_the_line_by_its_fields() -> None:
    mark = os.urandom(8).hex()
    logger = JournalLogger()
    logger.info(event="a test of inferagent", level="info", cause=mark)
    logger.close()
    subprocess.run(["journalctl", "--sync"], check=False)
    shown = subprocess.run(
        ["journalctl", "-o", "cat", f"INFERAGENT_CAUSE={mark}"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "a test of inferagent\n"
