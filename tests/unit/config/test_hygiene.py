import pytest

from inferagent.config.hygiene import carries_secret, secret_keys


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "api_token",
        "HF_TOKEN",
        "tunnel-token",
        "client_secret",
        "DB_PASSWORD",
        "--api-key",
        "apikey",
        "SecretKey",
    ],
)
def test_a_name_that_carries_a_secret(name):
    assert carries_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "TOKENIZERS_PARALLELISM",
        "TUNNEL_TOKEN_FILE",
        "--token-file",
        "SECRET_PATH",
        "pool",
        "key",
    ],
)
def test_a_name_that_does_not(name):
    assert not carries_secret(name)


def test_the_innermost_place_is_named():
    data = {
        "engine": [
            {"environment": {"A": "x", "HF_TOKEN": "y"}, "command": ["a", "--token=b", "-p", "token"]}
        ],
        "membership": {"token": {"deep": 1}},
    }
    assert [path for path, _ in secret_keys(data)] == [
        ("engine", 0, "environment", "HF_TOKEN"),
        ("engine", 0, "command", 1),
        ("membership", "token"),
    ]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["docker", "run", "-e", "HF_TOKEN=hunter2", "image"], "HF_TOKEN"),
        (["sh", "-c", "exec cloudflared tunnel run --token hunter2"], "--token"),
        (["sh", "-c", "VLLM_API_KEY=hunter2 vllm serve m"], "VLLM_API_KEY"),
        (["engine", "--max-tokens=5", "-e", "TOKEN_FILE=/x", "say token"], ""),
    ],
)
def test_what_a_command_hands_on_is_looked_through(command, name):
    found = list(secret_keys({"connector": {"command": command}}))
    assert [what.partition(" ")[0] for _, what in found] == ([name] if name else [])
    assert "hunter2" not in str(found)


def test_a_model_may_be_called_anything():
    assert list(secret_keys({"engine": [{"serves": {"secret-model": "password"}}]})) == []
