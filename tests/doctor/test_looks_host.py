"""The host, read from a root folder of our own."""

import pytest
from tests.support.doctoring import configured, judged

from inferagent.adapters.hops.public import Reply
from inferagent.programs.doctor.looks_outside import READY_PAGE


@pytest.mark.parametrize("date", ["", "yesterday", "32 Foo 2026"])
def test_an_edge_that_does_not_tell_its_time(tmp_path, date):
    found = judged("host.clock", configured(tmp_path), {READY_PAGE: Reply(200, {"date": date}, b"")})
    assert (found.verdict, found.outcome.evidence) == ("unknown", "the edge did not tell its time")


def test_the_disk_of_folders_that_are_not_there_yet(tmp_path):
    assert judged("host.disk", configured(tmp_path)).verdict in ("ok", "warn", "fail")


def test_the_folder_of_the_models_counts(tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    direction = configured(tmp_path, "ollama")
    file = direction.folder / "config.toml"
    named = f'command = ["ollama", "serve"]\nenvironment = {{ OLLAMA_MODELS = "{models}" }}'
    file.write_text(file.read_text().replace('command = ["vllm", "serve"]', named))
    assert "GB free" in judged("host.disk", direction).outcome.evidence


@pytest.mark.parametrize("name", ["host.units", "host.parts", "host.spot", "host.doors"])
def test_what_this_host_is_not(tmp_path, name):
    assert judged(name, configured(tmp_path)).verdict == "skipped"
