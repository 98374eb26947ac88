"""Secrets and ids leave any text; what helps to understand stays."""

import base64
import json

import pytest

from inferagent.programs.diag.redact import HIDDEN, Redactor, forms

SECRET = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"
TUNNEL = "6f2a7a1e-90c4-4a7b-9d3e-2a1f0c9b8d7e"
INNER = base64.b64encode(b"thirty-two bytes of pure chance!").decode()
TOKEN = base64.b64encode(json.dumps({"a": "a" * 32, "s": INNER, "t": TUNNEL}).encode()).decode()
HOOK = "https://hooks.example.org/services/T0/B0/pL4inw0rd?key=k3ykey3"


@pytest.mark.parametrize("secret", [SECRET, TOKEN, HOOK, "short7"])
def test_a_known_secret_leaves_in_every_form(secret):
    redactor = Redactor([secret])
    for form in forms(secret):
        said = redactor.clean(f"before {form} after, x={form}&y")
        assert form not in said
        assert not redactor.leaks(said.encode())
    assert redactor.leaks(f"x{secret}".encode())


def test_the_parts_of_a_tunnels_token_leave_too():
    redactor = Redactor([TOKEN])
    for part in (INNER, INNER.rstrip("="), "thirty-two bytes of pure chance!"):
        assert part not in redactor.clean(f"secret is <{part}>")


UNKNOWN = [
    "Authorization: Bearer abcdefghijkl",
    "CF-Access-Client-Secret: 0123456789abcdef0123",
    "HF_TOKEN=hf_abcDEF0123456789",
    '"api_key": "k3y-of-somebody"',
    "password=hunter22",
    "sk-proj-abcdefgh12345678",
    "ghp_abcdefghij0123456789",
    "cfast_0123456789abcdefg",
    "https://user:pa55@registry.example.org/x",
    "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
    "https://example.org/cb?key=abc123456",
    f"a stray {SECRET}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "write to anna.smith@example.org",
]


@pytest.mark.parametrize("line", UNKNOWN)
def test_what_only_looks_like_a_secret_leaves(line):
    said = Redactor().clean(line)
    assert said != line
    for word in (
        "abcdefghijkl",
        "0123456789abcdef",
        "hunter22",
        "pa55",
        "B000",
        "abc123456",
        SECRET,
        "anna",
        "k3y",
    ):
        assert word not in said


PLAIN = [
    "cannot connect to 127.0.0.1:7844 by TCP: connection refused",
    "http://127.0.0.1:8000/v1/chat/completions answers 404",
    "https://gpu-a.example.com/.inferagent/ready answers 503",
    "the token is expired",
    "vllm serve Qwen/Qwen3-8B --served-model-name chat",
    "credentials/tunnel-token (mode 0600)",
    "generation_tokens_total 12345",
    "GPU-8d3e: NVIDIA GeForce RTX 4090, 24 GB",
    "2026-11-22T10:00:00+01:00 serving",
    "one.dash.cloudflare.com > Access > Service auth",
]


@pytest.mark.parametrize("line", PLAIN)
def test_what_helps_stays(line):
    assert Redactor().clean(line) == line


def test_an_id_is_the_same_word_everywhere():
    account, other = "a0" * 16, "b1" * 16
    redactor = Redactor(names=[(account, "account"), (TUNNEL, "tunnel")])
    first = redactor.clean(f"{account} {other} {TUNNEL}.cfargotunnel.com")
    assert first == "(account) (id 3) (tunnel).cfargotunnel.com"
    assert redactor.clean(f"again {other}") == "again (id 3)"


def test_no_secret_is_no_secret():
    assert forms("") == forms("abc") == set()
    assert Redactor(["", "abc"]).clean("abc") == "abc"


def test_an_address_that_cannot_be_read_is_hidden():
    assert Redactor().clean("https://[::1/x") == HIDDEN
