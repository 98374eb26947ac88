import os
import socket
import time

import pytest
from tests.support.fake_verbs import FakeVerbs

from inferagent.adapters.units.verbs import LONGEST, Verbs
from inferagent.model.unit import Part
from inferagent.ports import PortError


@pytest.fixture
async def sockets(tmp_path):
    async with FakeVerbs(tmp_path / "verbs") as made:
        yield made


def verbs(sockets: FakeVerbs, answers: float = 2.0) -> Verbs:
    return Verbs(Part.ENGINE, "ollama.service", sockets.folder, answers)


async def refusal(sockets: FakeVerbs, answers: float = 2.0) -> PortError:
    with pytest.raises(PortError) as raised:
        await verbs(sockets, answers).ask("stop")
    assert str(raised.value).startswith("cannot stop ollama.service")
    return raised.value


async def test_each_part_and_verb_has_its_socket(sockets):
    for part in Part:
        for verb in ("start", "stop", "restart"):
            assert await Verbs(part, "x.service", sockets.folder).ask(verb) == ""
    assert sorted(sockets.asked) == sorted(
        f"{part}-{verb}" for part in Part for verb in ("start", "stop", "restart")
    )


async def test_a_remark_is_handed_on(sockets):
    sockets.answers["engine-stop"] = {"ok": True, "message": "it is still starting"}
    assert await verbs(sockets).ask("stop") == "it is still starting"


async def test_what_the_verb_says_is_the_error(sockets):
    sockets.answers["engine-stop"] = {
        "ok": False,
        "message": "cannot stop ollama.service: it is masked",
        "refused": True,
    }
    error = await refusal(sockets)
    assert str(error) == "cannot stop ollama.service: it is masked"
    assert error.refused


async def test_an_error_without_a_word_points_at_the_journal(sockets):
    sockets.answers["engine-stop"] = {"ok": False, "message": ""}
    error = await refusal(sockets)
    assert str(error).endswith("→ journalctl -u 'inferagent-verb-engine-stop@*'")
    assert not error.refused


async def test_a_missing_socket_is_said_with_the_cure(sockets):
    (sockets.folder / "engine-stop.sock").unlink()
    error = await refusal(sockets)
    assert "there is no socket" in str(error)
    assert str(error).endswith("→ sudo systemctl enable --now inferagent-verb-engine-stop.socket")
    assert error.refused


async def test_a_socket_of_nobody_is_said_with_the_cure(sockets):
    await sockets.__aexit__()
    path = sockets.folder / "engine-stop.sock"
    path.unlink(missing_ok=True)  # Python 3.13 and later take it away themselves
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    error = await refusal(sockets)
    assert "nobody listens at" in str(error)
    assert str(error).endswith("→ sudo systemctl restart inferagent-verb-engine-stop.socket")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_is_told_who_he_is(sockets):
    (sockets.folder / "engine-stop.sock").chmod(0o600)
    for folder in (sockets.folder, *sockets.folder.parents[:-2]):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        error = await refusal(sockets)
    finally:
        os.seteuid(0)
    assert "is not for the user nobody → sudo systemctl restart inferagent" in str(error)
    assert error.refused


@pytest.mark.parametrize(
    "answer", [b"done\n", b"[]\n", b'{"ok": 1, "message": ""}\n', b'{"ok": true}\n', b"x" * 2 * LONGEST]
)
async def test_an_answer_without_sense_is_no_answer(sockets, answer):
    sockets.answers["engine-stop"] = answer
    error = await refusal(sockets)
    assert "makes no sense → journalctl" in str(error)
    assert not error.refused


async def test_an_end_without_an_answer_is_said(sockets):
    sockets.answers["engine-stop"] = b""
    assert "ended without an answer → journalctl" in str(await refusal(sockets))


async def test_silence_ends_by_the_deadline(sockets):
    sockets.answers["engine-stop"] = None
    begun = time.monotonic()
    error = await refusal(sockets, 0.2)
    assert time.monotonic() - begun < 20
    assert str(error).endswith("not done within 0.2 s → journalctl -u 'inferagent-verb-engine-stop@*'")


async def test_a_slow_half_of_an_answer_is_silence(sockets):
    sockets.answers["engine-stop"] = None
    sockets.deeds["engine-stop"] = lambda: None
    assert "not done within" in str(await refusal(sockets, 0.1))
