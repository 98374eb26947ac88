import base64
import json
import uuid

import pytest

from inferagent.lab.connector.options import EarlyExitError, read_options

TUNNEL = "11111111-2222-3333-4444-555555555555"
TOKEN = base64.b64encode(
    json.dumps({"a": "acc", "s": base64.b64encode(b"secret").decode(), "t": TUNNEL}).encode()
).decode()


def ends(arguments, **environment):
    with pytest.raises(EarlyExitError) as ended:
        read_options(arguments, environment)
    return ended.value.code, ended.value.text


def test_the_environment_alone_is_enough(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"\n {TOKEN} \n")
    options = read_options(
        ["tunnel", "run"],
        {
            "TUNNEL_TOKEN_FILE": str(file),
            "TUNNEL_METRICS": "127.0.0.1:20300",
            "TUNNEL_GRACE_PERIOD": "1m30s",
            "TUNNEL_EDGE": "127.0.0.1:1,127.0.0.2:1",
            "TUNNEL_LOG_OUTPUT": "json",
            "TUNNEL_RETRIES": "2",
            "NO_AUTOUPDATE": "true",
        },
    )
    assert options.token.account == "acc"
    assert (options.token.secret, options.token.tunnel) == (b"secret", uuid.UUID(TUNNEL))
    assert options.edge == (("127.0.0.1", 1), ("127.0.0.2", 1))
    assert (options.grace_s, options.json_logs, options.retries) == (90.0, True, 2)
    assert options.metrics == "127.0.0.1:20300"


def test_flags_win_over_the_environment_and_may_stand_on_either_side():
    options = read_options(
        [
            "tunnel",
            "--edge",
            "h:1",
            "--edge=h:2",
            "--no-prechecks",
            "--metrics",
            "h:3",
            "run",
            "--token",
            TOKEN,
        ],
        {"TUNNEL_METRICS": "h:9", "TUNNEL_EDGE": "h:8"},
    )
    assert options.edge == (("h", 1), ("h", 2))
    assert options.metrics == "h:3"
    assert ("metrics", "h:3") in options.shown


def test_the_token_is_never_shown():
    options = read_options(["tunnel", "run"], {"TUNNEL_TOKEN": TOKEN})
    assert TOKEN not in str(options.shown)
    assert options.token is not None


@pytest.mark.parametrize(
    "text", ["x", "bm8=", base64.b64encode(b'{"a":1}').decode(), base64.b64encode(b"[]").decode()]
)
def test_a_bad_token_is_255(text):
    code, said = ends(["tunnel", "run"], TUNNEL_TOKEN=text)
    assert (code, said.splitlines()[0]) == (255, "cannot use the token: it is not valid")


def test_no_token_and_an_unreadable_file_are_255():
    assert ends(["tunnel", "run"])[0] == 255
    code, said = ends(["tunnel", "run"], TUNNEL_TOKEN_FILE="/nonexistent")
    assert (code, said.startswith("cannot read the token file")) == (255, True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1m", 60), ("500ms", 0.5), ("1m2.5s", 62.5), ("3m", 180), ("0s", 0)]
)
def test_grace_periods(text, seconds):
    options = read_options(["tunnel", "--grace-period", text, "run"], {"TUNNEL_TOKEN": TOKEN})
    assert options.grace_s == seconds


def test_a_grace_period_over_3_minutes_is_1_and_nonsense_is_usage():
    assert ends(["tunnel", "run"], TUNNEL_TOKEN=TOKEN, TUNNEL_GRACE_PERIOD="3m1s")[0] == 1
    assert ends(["tunnel", "run"], TUNNEL_TOKEN=TOKEN, TUNNEL_GRACE_PERIOD="soon")[0] == 0


@pytest.mark.parametrize(
    "arguments", [["tunnel", "--nope", "run"], ["tunnel", "--metrics"], ["tunnel", "list"], []]
)
def test_usage_errors_end_with_0(arguments):
    assert ends(arguments)[0] == 0


def test_an_edge_address_that_is_none():
    assert ends(["tunnel", "--edge", "localhost", "run"], TUNNEL_TOKEN=TOKEN)[0] == 1


def test_version_and_ready():
    assert read_options(["--version"], {}).command == "version"
    assert read_options(["version", "--short"], {}).short
    ready = read_options(["tunnel", "--metrics", "h:1", "ready"], {})
    assert (ready.command, ready.metrics) == ("ready", "h:1")


def test_the_labs_name_server():
    assert read_options(["tunnel", "run"], {"TUNNEL_TOKEN": TOKEN}).name_server == ""
    told = {"TUNNEL_TOKEN": TOKEN, "LAB_DNS": "127.0.0.1:5"}
    assert read_options(["tunnel", "run"], told).name_server == "127.0.0.1:5"
