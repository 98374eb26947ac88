"""The size of a model's weights, by the command line of who loads them."""

import os
import subprocess
import sys

import pytest

from inferagent.adapters.engine.weights import caches, model_argument, weights_in, weights_of

WAIT = "import sys\nprint('up', flush=True)\nsys.stdin.read()"


def weights(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, size in files.items():
        (folder / name.replace("__", ".")).write_bytes(b"x" * size)
    return folder


@pytest.mark.parametrize(
    ("words", "model"),
    [
        (["vllm", "serve", "Qwen/Qwen3-8B", "--port", "8000"], "Qwen/Qwen3-8B"),
        (["python", "-m", "api_server", "--model", "/models/a"], "/models/a"),
        (["python", "-m", "api_server", "--model=/models/a"], "/models/a"),
        (["vllm", "serve", "--model", "b"], "b"),
        (["ollama", "serve"], ""),
        ([], ""),
    ],
)
def test_the_model_of_a_command_line(words, model):
    assert model_argument(words) == model


def test_a_folder_counts_its_best_format_alone(tmp_path):
    folder = weights(tmp_path / "m", a__safetensors=30, b__safetensors=12, old__bin=99, config__json=7)
    assert weights_in(str(folder), iter(())) == 42
    assert weights_in(str(weights(tmp_path / "n", a__bin=5)), iter(())) == 5
    assert weights_in(str(folder / "a.safetensors"), iter(())) == 30
    assert weights_in(str(tmp_path / "none"), iter(())) == 0


def test_a_cache_keeps_snapshots_of_links(tmp_path):
    blobs = weights(tmp_path / "blobs", x=64)
    snapshot = tmp_path / "models--Qwen--Qwen3-8B" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to(blobs / "x")
    (snapshot / "gone.safetensors").symlink_to(blobs / "y")
    assert weights_in("Qwen/Qwen3-8B", iter((tmp_path / "elsewhere", tmp_path))) == 64
    assert weights_in("Qwen/Other", iter((tmp_path,))) == 0


def test_the_caches_in_the_order_in_which_they_are_meant():
    variables = {"HF_HUB_CACHE": "/a", "HF_HOME": "/b", "XDG_CACHE_HOME": "/c", "HOME": "/d"}
    assert [str(one) for one in caches(variables, "/e")] == [
        "/a",
        "/b/hub",
        "/c/huggingface/hub",
        "/d/.cache/huggingface/hub",
    ]
    assert [str(one) for one in caches({}, "/e")] == ["/e/.cache/huggingface/hub"]
    assert list(caches({}, "")) == []


def test_a_running_engine_tells_where_its_weights_are(tmp_path):
    snapshot = weights(tmp_path / "models--a--b" / "snapshots" / "1", w__safetensors=77)
    assert snapshot.exists()
    engine = subprocess.Popen(
        [sys.executable, "-c", WAIT, "serve", "a/b"],
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert engine.stdout.readline() == b"up\n"
        assert weights_of(engine.pid) == 77
    finally:
        engine.communicate(b"")
    assert weights_of(engine.pid) == 0
