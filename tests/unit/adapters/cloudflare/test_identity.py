"""The line in a pool's description, and who this machine is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferagent.adapters.cloudflare.identity import Promise, describe, machine_identity, parse
from inferagent.ports import PortError

NAMES = st.lists(st.text(min_size=1, max_size=20), max_size=4).map(tuple)


@given(NAMES)
def test_what_is_described_is_parsed(names: tuple[str, ...]) -> None:
    promise = Promise("0123456789abcdef", names)
    line = describe(promise)
    assert parse(line) == promise
    assert line.isascii()


def test_the_line_is_short_and_readable() -> None:
    line = describe(Promise("0123456789abcdef", ("chat", "org/embed:8b")))
    assert line == "inferagent machine=0123456789abcdef serves=chat,org/embed:8b"


@pytest.mark.parametrize("text", [None, "", "made by hand", "inferagent fallback of llm.example.com"])
def test_other_descriptions_promise_nothing(text: str | None) -> None:
    assert parse(text) is None


def test_a_machine_is_told_by_its_id_which_is_not_shown(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("3d1219c7c4c5404aaa1f6d2a48adfda4\n")
    other.write_text("3d1219c7c4c5404aaa1f6d2a48adfda5\n")
    assert machine_identity(one) != machine_identity(other)
    assert len(machine_identity(one)) == 16
    assert machine_identity(one) not in one.read_text()


@pytest.mark.parametrize("content", ["", "uninitialized\n"])
def test_no_id_is_no_identity(tmp_path: Path, content: str) -> None:
    path = tmp_path / "machine-id"
    assert machine_identity(path) == ""
    path.write_text(content)
    assert machine_identity(path) == ""


def test_an_unreadable_id_is_said(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="cannot read"):
        machine_identity(tmp_path)
