"""Settings are read strictly: a wrong one ends the program instead of meaning something else."""

import pytest

from inferagent.lab.engines import knobs


def test_an_unset_number_is_its_default(monkeypatch):
    monkeypatch.delenv("LAB_START_SECONDS", raising=False)
    assert knobs.number("LAB_START_SECONDS", 2.5) == 2.5


def test_a_number_is_read(monkeypatch):
    monkeypatch.setenv("LAB_START_SECONDS", "0.25")
    assert knobs.number("LAB_START_SECONDS", 2.5) == 0.25


@pytest.mark.parametrize("text", ["soon", "-1"])
def test_a_wrong_number_ends_the_program(monkeypatch, text):
    monkeypatch.setenv("LAB_START_SECONDS", text)
    with pytest.raises(SystemExit, match="cannot read LAB_START_SECONDS"):
        knobs.number("LAB_START_SECONDS", 2.5)


def test_lists_and_the_host_name(monkeypatch):
    monkeypatch.setenv("LAB_MODELS", "chat, llama3:8b,,")
    assert knobs.names("LAB_MODELS") == ["chat", "llama3:8b"]
    monkeypatch.setenv("LAB_HOST_NAME", "gpu-home")
    assert knobs.answer_headers() == {"X-Lab-Host": "gpu-home"}
    monkeypatch.delenv("LAB_HOST_NAME")
    assert knobs.answer_headers() == {}
