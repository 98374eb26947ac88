from pathlib import Path

import pytest
from tests.support.virtual import VirtualClock

from inferagent.config.load import Loaded, load
from inferagent.config.secrets import NOTIFY_WEBHOOK, Secret, write_secret
from inferagent.programs.notices import UNUSABLE, make_notices, receivers

CONFIG = """
[agent]
state = "{state}"
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["vllm"]
serves = {{ chat = "m" }}
[connector]
command = ["cloudflared"]
hostname = "a.example.com"
[membership]
kind = "pull"
[notify]
{notify}
"""


def loaded(folder: Path, notify: str = "") -> Loaded:
    (folder / "config.toml").write_text(CONFIG.format(state=folder / "state", notify=notify))
    return load(folder)


def made(folder: Path, notify: str = "") -> tuple[list[str], dict[str, str]]:
    troubles: dict[str, str] = {}
    settings = loaded(folder, notify).settings
    assert settings is not None
    found = receivers(settings, folder, {}, troubles)
    return [f"{one.name} {getattr(one, '_url', '')}".strip() for one in found], troubles


def test_nobody_is_told_unless_somebody_says_who(tmp_path):
    assert made(tmp_path) == ([], {})


def test_receivers_of_the_configuration(tmp_path):
    keys = 'exec = ["mail", "me"]\nwebhook = "https://chat.example.com/x"'
    assert made(tmp_path, keys) == (["exec", "webhook https://chat.example.com/x"], {})


def test_the_credential_comes_before_the_key(tmp_path):
    write_secret(NOTIFY_WEBHOOK, tmp_path, Secret("https://hooks.slack.com/services/T?key=v"))
    found, troubles = made(tmp_path, 'webhook = "https://chat.example.com/x"')
    assert (found, troubles) == (["webhook https://hooks.slack.com/services/T?key=v"], {})


@pytest.mark.parametrize("secret", ["nonsense", "http://hooks.example.com/SECRET"])
def test_a_credential_that_is_no_address_is_said_and_ends_nothing(tmp_path, secret):
    write_secret(NOTIFY_WEBHOOK, tmp_path, Secret(secret))
    found, troubles = made(tmp_path, 'exec = ["mail"]')
    assert found == ["exec"]
    assert "its address must begin with https://" in troubles[UNUSABLE]
    assert secret not in str(troubles)


def test_a_credential_that_others_can_read_is_said_and_not_used(tmp_path):
    write_secret(NOTIFY_WEBHOOK, tmp_path, Secret("https://hooks.example.com/x")).chmod(0o644)
    found, troubles = made(tmp_path)
    assert found == []
    assert "lets others of this host read it" in troubles[UNUSABLE]


async def test_other_settings_are_taken_up(tmp_path):
    first = loaded(tmp_path)
    assert first.settings is not None
    troubles = {UNUSABLE: "old"}
    notices, apply = make_notices(first, first.settings, VirtualClock(), troubles)
    assert (await notices.test()).message == "cannot notify anybody: no receiver is configured"
    second = loaded(tmp_path, 'exec = ["/bin/true"]\nafter = "5m"').settings
    assert second is not None
    apply(second)
    answer = await notices.test()
    assert (answer.ok, answer.message) == (True, "exec: /bin/true took it")
    assert notices._episodes.after == 300.0
    assert UNUSABLE not in troubles
