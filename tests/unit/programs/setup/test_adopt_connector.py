"""A cloudflared that its own installer set up: adopted, its token never shown."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from inferagent.programs.setup import adopt_connector
from inferagent.programs.setup.refusal import RefusedError, ask_nobody
from inferagent.programs.setup.request import ConnectorRequest, SetupRequest
from inferagent.programs.setup.unit_files import find

TUNNEL = "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e"
TOKEN = base64.b64encode(json.dumps({"a": "acc", "t": TUNNEL, "s": "c2VjcmV0"}).encode()).decode()
WITH_TOKEN = "{cloudflared} --no-autoupdate tunnel run --token {token}"
WITH_FILE = "{cloudflared} --no-autoupdate tunnel run --token-file /etc/cloudflared/token"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    program(tmp_path, "2026.8.2")
    (tmp_path / "etc/cloudflared").mkdir(parents=True)
    (tmp_path / "etc/cloudflared/token").write_text(TOKEN + "\n")
    return tmp_path


def program(root: Path, version: str) -> None:
    path = root / "usr/bin/cloudflared"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho cloudflared version {version} '(built today)'\n")
    path.chmod(0o755)


def install(root: Path, command: str = WITH_TOKEN, name: str = "cloudflared.service", more: str = "") -> None:
    line = command.format(cloudflared=root / "usr/bin/cloudflared", token=TOKEN)
    path = root / "etc/systemd/system" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[Service]\nType=notify\nExecStart={line}\n{more}")


def look(request: SetupRequest, root: Path) -> adopt_connector.Found:
    found = adopt_connector.connector(request, root, ask_nobody)
    assert found is not None
    return found


@pytest.mark.parametrize("command", [WITH_TOKEN, WITH_TOKEN.replace("--token ", "--token="), WITH_FILE])
def test_the_tunnel_is_told_by_its_token(plain: SetupRequest, root: Path, command: str) -> None:
    install(root, command)
    found = look(plain, root)
    assert found.tunnel == TUNNEL
    assert found.in_argv is (command is not WITH_FILE)
    assert adopt_connector.adopted(plain, found).connector.unit == "cloudflared.service"


def test_a_token_in_the_environment_is_seen_as_well(plain: SetupRequest, root: Path) -> None:
    install(root, "{cloudflared} tunnel run", more=f"Environment=TUNNEL_TOKEN={TOKEN}\n")
    assert look(plain, root).in_argv


def test_the_token_moves_to_a_file_and_is_shown_nowhere(plain: SetupRequest, root: Path) -> None:
    install(root)
    found = look(plain, root)
    lines = adopt_connector.lines(plain, found)
    text = adopt_connector.text(found, lines)
    assert f"LoadCredential=tunnel-token:{plain.credentials_dir}/tunnel-token" in lines
    own = root / "usr/bin/cloudflared"
    assert lines[-2:] == [
        "ExecStart=",
        f"ExecStart={own} --no-autoupdate tunnel run --token-file ${{CREDENTIALS_DIRECTORY}}/tunnel-token",
    ]
    notes = "\n".join(adopt_connector.notes(plain, found, changes=True))
    assert "rotate the tunnel's token" in notes
    assert TOKEN not in text + notes + repr(adopt_connector.adopted(plain, found))


def test_a_token_in_the_environment_does_not_outrank_the_file(plain: SetupRequest, root: Path) -> None:
    install(root, "{cloudflared} tunnel run", more=f"Environment=TUNNEL_TOKEN={TOKEN}\n")
    assert "UnsetEnvironment=TUNNEL_TOKEN" in adopt_connector.lines(plain, look(plain, root))
    install(root)
    assert "UnsetEnvironment=TUNNEL_TOKEN" not in adopt_connector.lines(plain, look(plain, root))


def test_the_metrics_are_pinned_where_they_are_left_to_chance(plain: SetupRequest, root: Path) -> None:
    install(root, WITH_FILE)
    assert adopt_connector.lines(plain, look(plain, root)) == ["Environment=TUNNEL_METRICS=127.0.0.1:9"]


@pytest.mark.parametrize("how", ["--metrics=127.0.0.1:4040", "environment"])
def test_a_unit_that_is_right_gets_no_drop_in(plain: SetupRequest, root: Path, how: str) -> None:
    own = "Environment=TUNNEL_METRICS=127.0.0.1:4040\n" if how == "environment" else ""
    install(root, f"{WITH_FILE} {'' if own else how}", more=own)
    found = look(plain, root)
    assert adopt_connector.lines(plain, found) == []
    assert adopt_connector.adopted(plain, found).connector.metrics == "127.0.0.1:4040"
    assert adopt_connector.notes(plain, found, changes=False) == []


def test_one_that_cannot_read_a_file_keeps_its_token(plain: SetupRequest, root: Path) -> None:
    install(root)
    program(root, "2025.2.0")
    found = look(plain, root)
    assert not adopt_connector.moves(plain, found)
    assert "upgrade cloudflared" in "\n".join(adopt_connector.notes(plain, found, changes=True))


def test_or_where_that_is_asked_for(plain: SetupRequest, root: Path) -> None:
    install(root)
    request = replace(plain, keep_token=True)
    assert not adopt_connector.moves(request, look(request, root))


def test_of_several_a_person_chooses(plain: SetupRequest, root: Path) -> None:
    names = ("cloudflared.service", "cloudflared-web.service")
    for name in (*names, "cloudflared-update.service"):
        install(root, name=name)
    with pytest.raises(
        RefusedError, match=r"cloudflared\.service, cloudflared-web\.service; say which"
    ) as told:
        adopt_connector.connector(plain, root, ask_nobody)
    assert "--connector-unit" in str(told.value)
    found = adopt_connector.connector(plain, root, lambda _what, _option, choices: choices[1])
    assert found is not None
    assert found.unit.name == "cloudflared-web.service"


def test_one_that_a_file_configures_is_refused_with_the_way_out(plain: SetupRequest, root: Path) -> None:
    install(root, "{cloudflared} --config /etc/cloudflared/config.yml tunnel run")
    with pytest.raises(RefusedError, match=r"--connector-unit inferagent-connector\.service"):
        adopt_connector.connector(plain, root, ask_nobody)


@pytest.mark.parametrize(
    "given",
    [
        ConnectorRequest(command=("cloudflared",)),
        ConnectorRequest(unit="inferagent-connector.service"),
        ConnectorRequest(unit="other.service"),
    ],
)
def test_what_was_asked_for_is_not_replaced(plain: SetupRequest, root: Path, given: ConnectorRequest) -> None:
    install(root)
    assert adopt_connector.connector(replace(plain, connector=given), root, ask_nobody) is None


def test_a_host_without_one(plain: SetupRequest, root: Path) -> None:
    assert adopt_connector.connector(plain, root, ask_nobody) is None


@pytest.mark.parametrize("token", ["nonsense", base64.b64encode(b"[]").decode(), ""])
def test_a_token_that_is_none_names_no_tunnel(root: Path, token: str) -> None:
    install(root)
    unit = find(root, "cloudflared.service")
    assert unit is not None
    assert adopt_connector.Found(unit, token).tunnel == ""
