"""The stand-ins say what the real programs said when recorded: a difference is the stand-in's bug."""

import pytest
from tests.real.compare import compare
from tests.real.record import RECORDED, of_stand_in
from tests.real.recording import FOLDER, load


@pytest.mark.parametrize("name", RECORDED)
async def test_the_stand_in_says_what_the_real_program_said(name, tmp_path) -> None:
    real = load(FOLDER / name)
    own = await of_stand_in(name, tmp_path)
    told = compare(real, own)
    assert not told, f"not as recorded from {real.program} {real.version}:\n" + "\n".join(told)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_names_no_run_and_no_host(name) -> None:
    """The real ones are recorded again by `python -m tests.real.record`."""
    real = load(FOLDER / name)
    assert real.version[0].isdigit()
    assert real.answers
    texts = [path.read_text() for path in (FOLDER / name).iterdir()]
    assert not any(word in text for text in texts for word in ("/tmp/", "Bearer "))
