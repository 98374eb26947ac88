import pytest
from tests.real.report import Ran, last_line, program_of, read, verdict

RECORD = """<testsuites><testsuite>
<testcase classname="tests.contract.test_engines" name="test_vllm_answers[real]"/>
<testcase classname="tests.contract.test_engines" name="test_vllm_answers[stand-in]"/>
<testcase classname="tests.contract.test_engines" name="test_ollama_answers[real]">
  <failure message="no"/></testcase>
<testcase classname="tests.contract.test_connector" name="test_version[cloudflared]">
  <skipped message="not set"/></testcase>
<testcase classname="tests.contract.test_openai" name="test_an_engine[llama.cpp-real]"/>
</testsuite></testsuites>"""


@pytest.fixture
def ran(tmp_path) -> Ran:
    path = tmp_path / "record.xml"
    path.write_text(RECORD)
    return read(path)


@pytest.mark.parametrize(
    ("place", "name", "program"),
    [
        ("tests.contract.test_engines", "test_a_dead_worker_ends_streams_like_good_ones[real]", "vllm"),
        ("tests.contract.test_engines", "test_a_killed_ollama_leaves_its_runner[real]", "ollama"),
        ("tests.contract.test_engines", "test_ollama_answers[stand-in]", ""),
        ("tests.contract.test_openai", "test_an_engine_behind_the_public_name[ollama-real]", "ollama"),
        ("tests.contract.test_openai", "test_an_engine_behind_the_public_name[vllm-stand-in]", ""),
        (
            "tests.contract.test_openai",
            "test_the_agent_looks_at_an_engine_that_it_has_no_kind_for",
            "llamacpp",
        ),
        (
            "tests.contract.test_connector",
            "test_a_bad_push_is_refused_whole[http://x-cloudflared]",
            "cloudflared",
        ),
        ("tests.contract.test_connector", "test_exit_codes[cloudflared-environment0-255]", "cloudflared"),
        ("tests.contract.test_connector", "test_version[stand-in]", ""),
        ("tests.integration.test_connector_adapter", "test_a_connectors_life[real]", "cloudflared"),
    ],
)
def test_which_program_a_test_runs(place, name, program) -> None:
    assert program_of(place, name) == program


def test_the_last_line_names_what_ran_and_what_did_not(ran) -> None:
    versions = {"vllm": "0.32.0", "ollama": "0.17.4", "cloudflared": "2026.8.2"}
    assert last_line(versions, {"llamacpp": "no network"}, ran) == (
        "real: vLLM 0.32.0 (1 passed), Ollama 0.17.4 (1 failed); skipped 2: "
        "llama.cpp (no network), cloudflared (no test ran it)"
    )
    assert last_line({}, {}, Ran()) == "real: nothing; skipped 0"


def test_all_that_was_there_must_have_run_and_passed(ran) -> None:
    assert verdict({"vllm": "1"}, ran, 0) == 0
    assert verdict({}, ran, 0) == 0
    assert verdict({"vllm": "1"}, ran, 1) == 1
    assert verdict({"ollama": "1"}, ran, 0) == 1
    assert verdict({"cloudflared": "1"}, ran, 0) == 1
