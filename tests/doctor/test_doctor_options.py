"""The options that lead doctor elsewhere."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inferagent.cli.doctor import doctor
from inferagent.cli.doctor_options import direction, doctor_options
from inferagent.lab.edge.certificates import make_certificates
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


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--cacert", "none.pem", "does not exist"),
        ("--cacert", "empty.pem", "holds no certificates"),
        ("--cacert", "text.pem", "holds no certificates"),
        ("--public", "https://llm.example.com", "is no host name"),
        ("--public", "llm.example.com:443", "is no host name"),
        ("--public", "llm", "is no host name"),
        ("--public", "llm..example.com", "is no host name"),
    ],
)
def test_what_cannot_be_used_is_said_at_once(tmp_path, option, value, says):
    (tmp_path / "empty.pem").touch()
    (tmp_path / "text.pem").write_text("no certificate\n")
    value = str(tmp_path / value) if option == "--cacert" else value
    result = CliRunner().invoke(doctor, ["--config", str(tmp_path), option, value])
    assert (result.exit_code, says in " ".join(result.stderr.split())) == (2, True)


def test_an_authority_s_certificate_is_taken(tmp_path):
    path, _ = make_certificates(tmp_path)
    assert parsed("--cacert", str(path), "--public", "llm.example.com").ca == path


def test_only_takes_groups_and_says_which_there_are(tmp_path):
    result = CliRunner().invoke(doctor, ["--config", str(tmp_path), "--only", "tunel"])
    assert result.exit_code == 2
    assert "there is no check or group tunel; do you mean tunnel?" in result.stderr
    assert "load-balancer" in result.stderr
    assert "inferagent doctor --list" in result.stderr
    result = CliRunner().invoke(doctor, ["--config", str(tmp_path), "--only", "tunnel", "--json"])
    shown = [check["name"] for check in json.loads(result.stdout)["checks"]]
    assert "connector.answers" in shown
    assert "account.tunnel" in shown


def test_only_is_completed_with_groups_and_checks_behind_a_comma_too():
    (only,) = [parameter for parameter in doctor.params if parameter.name == "only"]
    found = [item.value for item in only.shell_complete(click.Context(doctor), "model,tun")]
    assert found == ["model,tunnel"]
    found = {item.value for item in only.shell_complete(click.Context(doctor), "conn")}
    assert found >= {"connector", "connector.answers"}
