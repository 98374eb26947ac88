"""Configuration, credentials and setup's record, as doctor reads them."""

import base64
import json

import pytest
from tests.support.doctoring import TUNNEL, configured, judged

from inferagent.programs.setup.record import Record

TOKEN = base64.b64encode(json.dumps({"a": "x", "s": "eA==", "t": TUNNEL}).encode()).decode()


def keep(direction, name, text, mode=0o600):
    home = direction.folder / "credentials"
    home.mkdir(mode=0o700, exist_ok=True)
    place = home / name
    place.touch(mode=0o600)
    place.write_text(text + "\n")
    place.chmod(mode)


def test_a_token_of_this_tunnel(tmp_path):
    direction = configured(tmp_path)
    keep(direction, "tunnel-token", TOKEN)
    result = judged("credentials.tunnel-token", direction)
    assert (result.verdict, result.outcome.evidence) == ("ok", f"of tunnel {TUNNEL}")


def test_a_token_that_another_file_holds(tmp_path):
    elsewhere = tmp_path / "token"
    elsewhere.write_text(TOKEN)
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    named = f'environment = {{ TUNNEL_TOKEN_FILE = "{elsewhere}" }}\nhostname'
    file.write_text(file.read_text().replace("hostname", named, 1))
    assert judged("credentials.tunnel-token", direction).verdict == "ok"
    elsewhere.unlink()
    assert judged("credentials.tunnel-token", direction).verdict == "fail"


def test_a_unit_that_keeps_its_own_token(tmp_path):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(
        file.read_text().replace('command = ["cloudflared", "tunnel", "run"]', 'unit = "cf.service"')
    )
    result = judged("credentials.tunnel-token", direction)
    assert (result.verdict, result.outcome.evidence) == ("skipped", "cf.service keeps its token itself")


def test_half_a_service_token_is_none(tmp_path):
    direction = configured(tmp_path)
    keep(direction, "access-client-id", "id.access")
    assert judged("credentials.service-token", direction).verdict == "skipped"
    keep(direction, "access-client-secret", "s3cret")
    result = judged("credentials.service-token", direction)
    assert result.verdict == "ok"
    assert "s3cret" not in result.outcome.evidence


def test_an_open_service_token_is_named(tmp_path):
    direction = configured(tmp_path)
    keep(direction, "access-client-id", "id.access", 0o644)
    result = judged("credentials.service-token", direction)
    assert (result.verdict, "chmod 600" in result.outcome.cure) == ("fail", True)


@pytest.mark.parametrize("kind", ["pull", "replica"])
def test_other_memberships_need_no_api_token(tmp_path, kind):
    direction = configured(tmp_path)
    file = direction.folder / "config.toml"
    file.write_text(file.read_text().replace("own-pool", kind))
    assert judged("credentials.api-token", direction).verdict == "skipped"


def test_the_public_name_is_what_setup_noted(tmp_path):
    direction = configured(tmp_path)
    Record(tmp_path / "state").open({"public": "llm.example.com"})
    result = judged("dns.public", direction)
    assert "llm.example.com" in result.outcome.evidence
