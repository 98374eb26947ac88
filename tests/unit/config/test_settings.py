import socket

import pytest
from pydantic import ValidationError

from inferagent.config.fragments import shipped_fragment
from inferagent.config.settings import Settings
from inferagent.model.desired import EngineKind, Mode
from inferagent.runtime.board import GPU_AGE, HOST_AGE, LOOK_AGE

HOST = {
    "engine": [
        {"kind": "ollama", "url": "http://127.0.0.1:11434", "command": ["ollama"], "serves": {"chat": "m"}}
    ],
    "membership": {"kind": "pull"},
    "connector": {"hostname": "a.example.com", "command": ["cloudflared"]},
}


def settings(**tables) -> Settings:
    data = {
        name: dict(value) if isinstance(value, dict) else value
        for name, value in shipped_fragment().data.items()
    }
    for name, value in {**HOST, **tables}.items():
        data[name] = {**data.get(name, {}), **value} if isinstance(value, dict) else value
    return Settings.model_validate(data)


def test_shipped_defaults_and_one_host_make_settings():
    made = settings()
    assert made.mode is Mode.OBSERVE
    assert made.only_engine.kind is EngineKind.OLLAMA
    assert made.only_engine.gpus is None
    assert made.connector.metrics == ("127.0.0.1", 20241)
    assert made.idle.after is None
    assert made.at("drain", "settle") == 10.0


@pytest.mark.parametrize(
    "hostname",
    [
        "localhost",
        "a..b",
        "-a.example.com",
        "a-.b",
        "a_b.c",
        "a.b.",
        "http://a.b",
        "a b.c",
        "x" * 64 + ".com",
        "é.com",
        "a.example.com\n",
    ],
)
def test_a_malformed_hostname_is_refused(hostname):
    with pytest.raises(ValidationError, match="must be a host name"):
        settings(connector={"hostname": hostname, "command": ["c"]})


@pytest.mark.parametrize("unit", ["ollama", "ollama.timer", "../x.service", "a b.service", ".service"])
def test_a_malformed_unit_is_refused(unit):
    with pytest.raises(ValidationError, match="systemd unit"):
        settings(connector={"hostname": "a.b", "unit": unit})


def test_settings_never_change():
    with pytest.raises(ValidationError, match="frozen"):
        settings().ready.port = 1


def test_an_unnamed_host_has_the_machine_s_name():
    assert settings().host.name == socket.gethostname().partition(".")[0]
    assert settings(host={"name": "gpu-home"}).host.name == "gpu-home"


@pytest.mark.parametrize(("key", "age"), [("look", LOOK_AGE), ("host", HOST_AGE), ("gpus", GPU_AGE)])
def test_what_is_looked_at_is_looked_at_again_before_the_reading_is_too_old(key, age):
    """However long a reading may stay fresh by configuration: a host between two looks is not unknown."""
    slow = {"fresh": "10m", "suspect_frozen": "60s", "hang_frozen_traffic": "2m", "hang_frozen": "2m"}
    with pytest.raises(ValidationError, match="must be between"):
        settings(probe={**slow, key: f"{age:.0f}s"})
    assert settings(probe={**slow, key: f"{age * 0.8:.0f}s"}).at("probe", key) < age
