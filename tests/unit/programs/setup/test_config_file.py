"""config.toml written anew, and written into what a person has."""

from dataclasses import replace
from pathlib import Path

import pytest

from inferagent.config.load import load
from inferagent.model.membership import MembershipKind
from inferagent.programs.setup.config_file import BadFileError, config_text
from inferagent.programs.setup.request import SetupRequest

IDS = {
    "account": "a" * 32,
    "zone": "b" * 32,
    "pool": "c" * 32,
    "load_balancer": "d" * 32,
    "tunnel": "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e",
}


def settings(folder: Path, text: str) -> object:
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(text)
    return load(folder).settings


@pytest.mark.parametrize("kind", list(MembershipKind))
def test_a_new_file_is_a_valid_configuration(
    plain: SetupRequest, tmp_path: Path, kind: MembershipKind
) -> None:
    text = config_text(replace(plain, membership=kind), None, IDS, 60)
    found = settings(tmp_path / "x", text)
    assert found is not None
    assert found.membership.kind is kind
    assert found.membership.monitor_bound == 130
    assert found.only_engine.serves == (("chat", "Qwen/Qwen3-8B"),)
    assert found.connector.command == ("cloudflared", "tunnel", "run")
    environment = dict(found.connector.environment)
    assert environment["TUNNEL_TOKEN_FILE"] == str(plain.config_dir / "credentials" / "tunnel-token")
    assert environment["TUNNEL_METRICS"] == "127.0.0.1:9"


def test_written_twice_it_is_the_same(plain: SetupRequest) -> None:
    request = replace(plain, settings=(("probe.look", "1s"), ("limits.joins_per_hour", 12)))
    text = config_text(request, None, IDS, 60)
    assert config_text(request, text, IDS, 60) == text


def test_what_a_person_wrote_is_kept(plain: SetupRequest) -> None:
    mine = '# hello\nmode = "observe"\n[drain]\nsettle = "7s" # long\n[[engine]]\nunit = "o.service"\n'
    text = config_text(plain, mine, IDS, 60)
    assert "# hello" in text
    assert 'settle = "7s" # long' in text
    assert 'mode = "act"' in text
    assert "o.service" not in text
    assert text.count("[[engine]]") == 1


def test_keys_of_another_membership_and_supervisor_go(plain: SetupRequest, tmp_path: Path) -> None:
    first = config_text(plain, None, IDS, 60)
    unit = replace(plain.connector, unit="cloudflared.service")
    second = config_text(
        replace(plain, membership=MembershipKind.PULL, connector=unit), first, {"tunnel": IDS["tunnel"]}, None
    )
    found = settings(tmp_path / "x", second)
    assert found is not None
    assert (found.membership.pool, found.connector.command, found.connector.unit) == (
        "",
        (),
        "cloudflared.service",
    )


def test_inferagents_own_units_keep_their_commands(plain: SetupRequest, tmp_path: Path) -> None:
    first = config_text(plain, None, IDS, 60)
    engine = replace(plain.engine, unit="inferagent-engine.service", command=("vllm", "serve"))
    connector = replace(plain.connector, unit="inferagent-connector.service", command=(), environment=())
    second = config_text(replace(plain, engine=engine, connector=connector), first, IDS, 60)
    found = settings(tmp_path / "x", second)
    assert found is not None
    assert (found.only_engine.unit, found.only_engine.command) == (engine.unit, engine.command)
    assert (found.connector.unit, found.connector.command) == (connector.unit, ())
    assert "TUNNEL_TOKEN_FILE" not in second, "the child's own file is not the unit's"
    mine = replace(connector, command=("mine", "run"), environment=(("A", "b"),))
    third = settings(tmp_path / "y", config_text(replace(plain, connector=mine), second, IDS, 60))
    assert third is not None
    assert (third.connector.command, third.connector.environment) == (("mine", "run"), (("A", "b"),))


def test_no_interval_no_bound(plain: SetupRequest) -> None:
    assert "monitor_bound" not in config_text(plain, None, IDS, None)


@pytest.mark.parametrize("text", ["mode =", '[drain]\nsettle = "1s"\n[drain]\n'])
def test_what_is_no_toml_is_said(plain: SetupRequest, text: str) -> None:
    with pytest.raises(BadFileError, match=r"cannot read .*config\.toml"):
        config_text(plain, text, IDS, 60)


@pytest.mark.parametrize(("given", "found"), [("0,1", (0, 1)), ("all", None)])
def test_gpus_are_written_as_the_configuration_takes_them(
    plain: SetupRequest, tmp_path: Path, given: str, found: tuple[int, ...] | None
) -> None:
    text = config_text(replace(plain, engine=replace(plain.engine, gpus=given)), None, IDS, 60)
    assert settings(tmp_path / "x", text).only_engine.gpus == found
