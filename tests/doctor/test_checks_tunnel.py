"""Checks of connector and ingress, on rules that people write by hand."""

import pytest
from tests.support.doctoring import TUNNEL, configured, judged

from inferagent.config.terms import READY_PATH
from inferagent.programs.doctor.looks_account import PUSHED
from inferagent.programs.doctor.looks_here import CONNECTOR, STATUS, Connector
from inferagent.programs.doctor.sight import Lack
from inferagent.programs.doctor.verdict import CannotTellError

HOST = "gpu-a.example.com"
READY = {"hostname": HOST, "path": READY_PATH, "service": "http://127.0.0.1:8790"}
ENGINE = {"hostname": HOST, "path": "", "service": "http://127.0.0.1:8000"}
LAST = {"hostname": "", "path": "", "service": "http_status:404"}


def connector(*rules, version=3, **fields):
    return Connector(
        **{"connections": 4, "version": "2026.8.2", "tunnel": TUNNEL, **fields},
        config_version=version,
        rules=rules,
    )


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((READY, ENGINE, LAST), ""),
        ((READY, {**ENGINE, "service": "http://localhost:8000"}, LAST), ""),
        (({**READY, "hostname": "*.example.com"}, ENGINE, LAST), ""),
        (({**ENGINE, "hostname": "other.example.com"}, READY, ENGINE, LAST), ""),
        (({**ENGINE, "hostname": "*.example.com"}, READY, ENGINE, LAST), "wrong order"),
        (({**ENGINE, "path": "^/v1"}, READY, ENGINE, LAST), "wrong order: the rule for ^/v1"),
        ((ENGINE, READY, LAST), "wrong order"),
        ((ENGINE, LAST), "the ready URL has no rule"),
        ((READY, LAST), "no rule leads from"),
        (({**READY, "service": "http://127.0.0.1:1"}, ENGINE, LAST), "the ready URL leads to"),
        ((READY, {**ENGINE, "service": "http://10.0.0.1:8000"}, LAST), "the engine is at"),
        ((LAST,), "the catch-all answers"),
        ((), "no rules yet"),
    ],
)
def test_rules(tmp_path, rules, words):
    result = judged("ingress.rules", configured(tmp_path), {CONNECTOR: connector(*rules)})
    assert (result.verdict, words in result.outcome.evidence) == ("fail" if words else "ok", True)


def test_before_the_first_push(tmp_path):
    given = {CONNECTOR: connector(READY, ENGINE, LAST, version=-1)}
    assert "no rules yet" in judged("ingress.rules", configured(tmp_path), given).outcome.evidence


def test_null_and_nothing_are_the_same_path(tmp_path):
    there = [{**READY}, {"hostname": HOST, "service": ENGINE["service"]}, {"service": "http_status:404"}]
    seen = connector(READY, {**ENGINE, "path": None}, LAST)
    given = {CONNECTOR: seen, PUSHED: {"version": 3, "config": {"ingress": there}}}
    assert judged("ingress.pushed", configured(tmp_path), given).verdict == "ok"


@pytest.mark.parametrize(("count", "verdict"), [(0, "fail"), (1, "warn"), (2, "ok"), (4, "ok")])
def test_connections(tmp_path, count, verdict):
    given = {CONNECTOR: connector(connections=count)}
    assert judged("connector.connections", configured(tmp_path), given).verdict == verdict


@pytest.mark.parametrize(
    ("version", "verdict"), [("2099.1.0", "ok"), ("2023.10.0", "warn"), ("DEV", "skipped"), ("", "skipped")]
)
def test_versions(tmp_path, version, verdict):
    given = {CONNECTOR: Connector(4, version, TUNNEL, 3, ())}
    assert judged("connector.version", configured(tmp_path), given).verdict == verdict


@pytest.mark.parametrize("tunnel", ["", "11111111-2222-3333-4444-555555555555"])
def test_another_tunnel_and_one_that_nobody_names(tmp_path, tunnel):
    result = judged("connector.tunnel", configured(tmp_path), {CONNECTOR: connector(tunnel=tunnel)})
    assert result.verdict == ("fail" if tunnel else "skipped")


@pytest.mark.parametrize(
    ("options", "verdict"), [({}, "fail"), ({"httpHostHeader": "localhost:11434"}, "ok")]
)
def test_the_host_header_of_ollama(tmp_path, options, verdict):
    given = {CONNECTOR: connector(READY, {**ENGINE, "originRequest": options}, LAST)}
    assert judged("ingress.host-header", configured(tmp_path, "ollama"), given).verdict == verdict


@pytest.mark.parametrize(
    ("kind", "phase", "verdict"),
    [("replica", "out", "unknown"), ("replica", "serving", "fail"), ("pull", "out", "fail")],
)
def test_a_replica_that_is_out_has_no_connector(tmp_path, kind, phase, verdict):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("own-pool", kind))
    given = {
        CONNECTOR: Lack(CannotTellError("cannot reach it")),
        STATUS: {"phase": phase, "sentence": "held"},
    }
    assert judged("connector.answers", direction, given).verdict == verdict


def test_the_flag_against_updates_does_too(tmp_path):
    direction = configured(tmp_path)
    assert judged("connector.updates", direction).verdict == "warn"
    file = direction.folder / "config.toml"
    file.write_text(
        file.read_text().replace('["cloudflared", "tunnel"', '["cloudflared", "--no-autoupdate", "tunnel"')
    )
    assert judged("connector.updates", direction).verdict == "ok"
