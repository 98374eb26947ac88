"""The man pages: one a command, without a warning of groff, and the same from the same source."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inferagent.cli.main import COMMANDS
from inferagent.config.known import known_keys, table_of

PROGRAM = Path(__file__).parents[2] / "packaging" / "manual.py"
EPOCH = "1800000000"


def made(folder: Path, epoch: str = EPOCH) -> dict[str, str]:
    subprocess.run(
        [sys.executable, PROGRAM, folder],
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch, "TZ": "Asia/Tokyo"},
        check=True,
    )
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return made(tmp_path_factory.mktemp("man"))


def test_there_is_one_for_each_command_and_for_the_configuration(pages):
    assert set(pages) == {"inferagent.1", "inferagent.toml.5", *(f"inferagent-{name}.1" for name in COMMANDS)}


def test_they_are_the_same_from_the_same_source_and_dated_by_it(pages, tmp_path):
    assert made(tmp_path / "again") == pages
    assert '"2027-01-15"' in pages["inferagent.1"]
    assert made(tmp_path / "later", "1900000000") != pages


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_warns_of_nothing(pages):
    for name, text in pages.items():
        done = subprocess.run(
            ["groff", "-man", "-Tutf8", "-ww", "-k"], input=text, capture_output=True, text=True, check=True
        )
        assert done.stderr == "", name
        assert "SEE ALSO" in re.sub("\x1b\\[[0-9;]*m|.\b", "", done.stdout)


def test_no_line_begins_like_a_request_by_accident(pages):
    known = {".TH", ".SH", ".SS", ".TP", ".B", ".BR", ".PP", ".br", ".nh", ".ad"}
    for text in pages.values():
        requests = {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))}
        assert requests <= known


def test_every_option_and_every_exit_code_is_told(pages):
    status = pages["inferagent-status.1"]
    assert all(f".B {option}\n" in status for option in (r"\-\-json", r"\-\-watch"))
    assert ".SH EXIT STATUS\n0 as intended" in status
    assert "Exit code: " not in "".join(pages.values())


def test_every_key_of_the_configuration_is_told(pages):
    text = pages["inferagent.toml.5"]
    told = re.findall(r"^\.B ([a-z_]+) =", text, re.MULTILINE)
    assert sorted(told) == sorted(names[-1] for names, info in known_keys().items() if table_of(info) is None)
    for names, info in known_keys().items():
        if table_of(info) is not None:
            assert f".SH [{names[0]}]\n" in text or f".SH [[{names[0]}]]\n" in text
