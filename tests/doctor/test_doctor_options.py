"""The options that lead doctor elsewhere."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inferagent.cli.doctor_options import direction, doctor_options
from inferagent.programs.doctor.sight import EDGE


def parsed(*words):
    seen = {}

    @click.command()
    @doctor_options
    def command(**given):
        seen.update(given)

    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    return direction(Path("/etc/inferagent"), seen)


def test_by_default_it_looks_where_users_do():
    found = parsed()
    assert (found.edge, found.https_port, found.deadline, found.dns, found.root) == (
        EDGE,
        443,
        10.0,
        None,
        Path("/"),
    )


def test_everything_can_be_led_elsewhere():
    found = parsed(
        "--dns", "127.0.0.1:53", "--edge", "[::1]:7844", "--edge", "e.example.com:1", "--https-port", "8443"
    )
    assert found.dns == ("127.0.0.1", 53)
    assert found.edge == (("::1", 7844), ("e.example.com", 1))
    assert found.https_port == 8443


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("llm.example.com:443:192.0.2.1", ("llm.example.com", 443, "192.0.2.1")),
        ("llm.example.com:443:[2001:db8::1]", ("llm.example.com", 443, "2001:db8::1")),
    ],
)
def test_an_address_as_curl_takes_it(text, told):
    assert parsed("--resolve", text).resolve == (told,)


@pytest.mark.parametrize(
    "words",
    [
        ("--resolve", "llm:443"),
        ("--resolve", "llm:x:1.2.3.4"),
        ("--dns", "53"),
        ("--dns", "h:0"),
        ("--edge", "h:99999"),
        ("--deadline", "0s"),
    ],
)
def test_what_cannot_be_meant(words):
    @click.command()
    @doctor_options
    def command(**_given):
        raise AssertionError

    assert CliRunner().invoke(command, words).exit_code == 2
