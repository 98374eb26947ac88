"""The journal's last lines, by a journalctl of our own."""

import sys

import pytest

from inferagent.adapters.hops.journal import LONGEST, tail
from inferagent.ports import PortError


def program(folder, text):
    file = folder / "journalctl"
    file.write_text(f"#!{sys.executable}\n{text}")
    file.chmod(0o755)
    return str(file)


async def test_the_units_are_asked_for(tmp_path):
    said = await tail(["a.service", "b.service"], 7, 5, program(tmp_path, "import sys; print(sys.argv[1:])"))
    assert "'--lines', '7'" in said
    assert "'--unit', 'a.service', '--unit', 'b.service'" in said


async def test_the_newest_of_too_much(tmp_path):
    said = await tail([], 7, 10, program(tmp_path, f"print('x' * {LONGEST * 2}); print('the end')"))
    assert len(said) == LONGEST
    assert said.endswith("the end\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [("import sys; sys.exit(1)", "ended with 1"), ("import time; time.sleep(9)", "does not end")],
)
async def test_a_journal_that_cannot_be_read(tmp_path, text, words):
    with pytest.raises(PortError, match=words):
        await tail(["a.service"], 7, 0.5, program(tmp_path, text))


async def test_no_journalctl(tmp_path):
    with pytest.raises(PortError, match="cannot run"):
        await tail(["a.service"], 7, 1, str(tmp_path / "none"))
