"""What a person reads for each state. The files are made by `python -m tests.golden`, and read by eye."""

import json
from dataclasses import asdict

import pytest
from tests.golden.files import FOLDER, STATES, texts
from tests.golden.made import shown

from inferagent.cli.render import render
from inferagent.model.phase import Label, Phase

TEXTS = texts()
NAMES = [label.value for label in Label] + [phase.value for phase in Phase]


def test_there_is_a_file_for_each_state_and_no_other():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(TEXTS)
    assert len(TEXTS) >= 30


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_is_the_one_that_was_read(name):
    assert TEXTS[name] == (FOLDER / f"{name}.txt").read_text("utf-8"), "python -m tests.golden makes it anew"


@pytest.mark.parametrize("name", TEXTS)
def test_it_fits_a_screen_and_is_plain(name):
    lines = TEXTS[name].splitlines()
    said = [line for line in lines if "→" not in line and "cannot" not in line]
    assert max(map(len, said)) <= 80
    assert len(lines) <= 24
    assert "\x1b" not in TEXTS[name]


@pytest.mark.parametrize("name", STATES)
def test_the_state_is_the_one_that_its_name_says(name):
    document = STATES[name].document()
    named = next((one for one in sorted(NAMES, key=len, reverse=True) if name.startswith(one)), "")
    assert named in ("", document.label, document.phase)


@pytest.mark.parametrize("name", STATES)
def test_the_cure_stands_there_once_and_right_below_the_root_cause(name):
    document = STATES[name].document()
    lines = TEXTS[name].splitlines()
    arrows = [number for number, line in enumerate(lines) if line.strip() == f"→ {document.cure}"]
    parts = next((number for number, line in enumerate(lines) if line.startswith("  engine ")), len(lines))
    assert not document.cure or [number < parts for number in arrows][:1] == [True]


def test_every_phase_and_label_has_its_state():
    documents = [state.document() for state in STATES.values()]
    assert {document.phase for document in documents} == {phase.value for phase in Phase}
    shown_labels = {document.label for document in documents if document.label} | {"unconfigured"}
    assert shown_labels == {label.value for label in Label}


def test_colour_adds_nothing_but_colour():
    for state in STATES.values():
        document = state.document()
        bright = shown(document, colour=True)
        assert "\x1b[" in bright
        for code in ("31", "32", "33", "1", "0"):
            bright = bright.replace(f"\x1b[{code}m", "")
        assert bright == shown(document)


@pytest.mark.parametrize("width", [40, 60, 120])
def test_every_text_fits_every_width(width):
    for state in STATES.values():
        text = render(json.loads(json.dumps(asdict(state.document()))), width=width)
        assert all(len(line) <= width or "→" in line for line in text.splitlines()), text
