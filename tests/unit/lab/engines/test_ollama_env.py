"""The environment is read as the real one reads it."""

import pytest

from inferagent.lab.engines import ollama_env


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), ("250ms", 0.25), ("90", 90), (0, 0), ("-1", -1), (-1, -1), ("-1m", -60)],
)
def test_durations(text, seconds):
    assert ollama_env.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 minutes"])
def test_a_wrong_duration_is_an_error(text):
    with pytest.raises(ValueError):
        ollama_env.duration(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", ("127.0.0.1", 11434)),
        ("127.0.0.1:8123", ("127.0.0.1", 8123)),
        ("0.0.0.0", ("0.0.0.0", 11434)),
        (":8123", ("127.0.0.1", 8123)),
        ("http://127.0.0.1:8123/", ("127.0.0.1", 8123)),
        ("http://gpu", ("gpu", 80)),
    ],
)
def test_addresses(text, place):
    assert ollama_env.address(text) == place


@pytest.mark.parametrize(
    "header", ["localhost", "localhost:11434", "127.0.0.1:1", "[::1]:1", "10.0.0.4", "gpu.local", ""]
)
def test_hosts_that_are_let_in(header):
    assert ollama_env.admitted(header)


@pytest.mark.parametrize("header", ["gpu-home.example.com", "example.com:443", "1.1.1.1"])
def test_foreign_hosts_are_not(header):
    assert not ollama_env.admitted(header)


def test_loopback():
    assert ollama_env.loopback("127.0.0.1")
    assert ollama_env.loopback("localhost")
    assert not ollama_env.loopback("0.0.0.0")
    assert not ollama_env.loopback("gpu")


def test_all_of_it(monkeypatch, tmp_path):
    for name, value in {
        "OLLAMA_HOST": "127.0.0.1:8123",
        "OLLAMA_MODELS": str(tmp_path),
        "OLLAMA_KEEP_ALIVE": "1s",
        "OLLAMA_NUM_PARALLEL": "3",
        "OLLAMA_MAX_QUEUE": "7",
        "LAB_MODELS": "chat",
    }.items():
        monkeypatch.setenv(name, value)
    found = ollama_env.read()
    assert (found.port, found.models, found.keep_alive) == (8123, tmp_path, 1.0)
    assert (found.parallel, found.max_queue, found.present) == (3, 7, ("chat",))


def test_it_is_serial_by_default_and_wants_a_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("OLLAMA_NUM_PARALLEL", raising=False)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    assert ollama_env.read().parallel == 1
    monkeypatch.delenv("OLLAMA_MODELS")
    with pytest.raises(SystemExit, match="OLLAMA_MODELS"):
        ollama_env.read()
