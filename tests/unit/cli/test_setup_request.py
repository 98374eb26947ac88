from pathlib import Path

import click
import pytest

from inferagent.cli.setup_request import request_from, setup_options
from inferagent.model.desired import EngineKind
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup import SetupRequest

PLAIN = [
    "--public",
    "chat.example.com",
    "--host",
    "gpu-home",
    "--engine",
    "ollama",
    "--serves",
    "chat=llama3:8b",
]


def parsed(*words: str) -> SetupRequest:
    @click.command()
    @setup_options
    def command(**given: object) -> None:
        found.append(request_from(Path("/conf"), given))

    found: list[SetupRequest] = []
    command.main([*PLAIN, *words], standalone_mode=False)
    return found[0]


def test_the_defaults_are_the_request_s_own():
    request = parsed()
    plain = SetupRequest(host="gpu-home", public="chat.example.com", engine=request.engine)
    for name in (
        "api",
        "membership",
        "connector",
        "monitor_interval",
        "ready_port",
        "state_dir",
        "run_dir",
        "pool_limit",
        "weight",
        "take_over",
        "settings",
        "zone",
        "account",
        "hostname",
        "tunnel",
        "pool",
    ):
        assert getattr(request, name) == getattr(plain, name), name
    assert request.engine.kind is EngineKind.OLLAMA
    assert request.engine.url == "http://127.0.0.1:11434"
    assert request.config_dir == Path("/conf")


def test_every_option_reaches_the_request():
    request = parsed(
        *("--membership", "replica", "--api-token-file", "/t", "--api", "http://127.0.0.1:1/v4"),
        *(
            "--engine-url",
            "http://127.0.0.1:9/",
            "--engine-command",
            "ollama serve 'a b'",
            "--engine-env",
            "A=b=c",
        ),
        *("--serves", "code", "--gpus", "0,1", "--connector-unit", "c.service", "--metrics", "127.0.0.1:2"),
        *(
            "--hostname",
            "h.example.com",
            "--zone",
            "example.com",
            "--account",
            "acc",
            "--tunnel",
            "t",
            "--pool",
            "p",
        ),
        *(
            "--weight",
            "20",
            "--monitor-interval",
            "15",
            "--ready-port",
            "9000",
            "--pool-limit",
            "50",
            "--take-over",
        ),
        *("--state-dir", "/s", "--run-dir", "/r", "--set", "drain.settle=2s", "--set", "probe.falls=3"),
        *("--set", "membership.alone=true", "--set", 'host.name="x y"'),
    )
    assert request.membership is MembershipKind.REPLICA
    assert (request.api_token_file, request.api) == (Path("/t"), "http://127.0.0.1:1/v4")
    assert request.engine.url == "http://127.0.0.1:9"
    assert request.engine.command == ("ollama", "serve", "a b")
    assert request.engine.environment == (("A", "b=c"),)
    assert request.engine.serves == (("chat", "llama3:8b"), ("code", "code"))
    assert request.engine.gpus == "0,1"
    assert (request.connector.unit, request.connector.metrics) == ("c.service", "127.0.0.1:2")
    assert (request.hostname, request.zone, request.account) == ("h.example.com", "example.com", "acc")
    assert (request.tunnel, request.pool, request.weight) == ("t", "p", 20)
    assert (request.monitor_interval, request.ready_port, request.pool_limit) == (15, 9000, 50)
    assert (request.take_over, request.state_dir, request.run_dir) == (True, Path("/s"), Path("/r"))
    assert request.settings == (
        ("drain.settle", "2s"),
        ("probe.falls", 3),
        ("membership.alone", True),
        ("host.name", "x y"),
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--public", ""], "--public"),
        (["--public", "llm"], "cannot use --public 'llm'"),
        (["--public", "not a name"], "cannot use --public 'not a name'"),
        (["--serves", "=x"], "--serves"),
        (["--serves", "chat="], "--serves"),
        (["--engine-command", "'a"], "--engine-command"),
        (["--engine-env", "A"], "--engine-env"),
        (["--connector-env", "=b"], "--connector-env"),
        (["--set", "drain.settle"], "--set"),
        (["--set", "idle.x=[1]"], "cannot set idle.x"),
        (["--weight", "101"], "101"),
        (["--membership", "central"], "central"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(words, says):
    with pytest.raises(click.UsageError) as caught:
        parsed(*words)
    assert says in caught.value.format_message()


def test_a_weight_of_nothing_is_a_weight():
    assert parsed("--weight", "0").weight == 0


def test_the_help_says_what_belongs_to_an_image() -> None:
    command = setup_options(click.command()(lambda **_: None))
    helps = {option.name: str(getattr(option, "help", "")) for option in command.params}
    assert "with --engine-image: what stands after the image" in helps["engine_command"]
    assert "docker pull it first" in helps["engine_image"]
