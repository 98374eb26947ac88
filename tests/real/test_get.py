import sys

import pytest
from tests.real.get import GetError, Making, alone, make, telling
from tests.real.get_all import MODELS, get_all, make_file
from tests.real.get_python import move
from tests.real.get_vllm import script_text, wanted


def making(tmp_path, said=None):
    return Making("thing", tmp_path, (said if said is not None else []).append)


def test_it_has_its_name_only_when_whole(tmp_path) -> None:
    def steps(one):
        one.step("first", lambda: (one.part / "a").write_text("a"))
        assert not one.done.exists()

    make(making(tmp_path), steps)
    assert (tmp_path / "thing" / "a").read_text() == "a"
    assert sorted(path.name for path in (tmp_path / "thing").iterdir()) == ["a"]
    assert not (tmp_path / "thing.part").exists()


def test_it_goes_on_where_it_was_interrupted(tmp_path) -> None:
    done = []

    def steps(one, broken):
        one.step("first", lambda: done.append("first"))
        if broken:
            raise GetError("the net is gone")
        one.step("second", lambda: done.append("second"))

    with pytest.raises(GetError):
        make(making(tmp_path), lambda one: steps(one, True))
    make(making(tmp_path), lambda one: steps(one, False))
    make(making(tmp_path), lambda one: steps(one, False))
    assert done == ["first", "second"]


def test_a_full_disk_is_said_before_anything_is_fetched(tmp_path) -> None:
    with pytest.raises(GetError, match="GiB are needed"):
        make(making(tmp_path), lambda _: pytest.fail("it began"), room=1e9)


def test_a_command_that_fails_says_why(tmp_path) -> None:
    words = "print('ERROR: no such package'); print('see the manual'); raise SystemExit(3)"
    with pytest.raises(GetError, match="exit code 3: ERROR: no such package"):
        making(tmp_path).run([sys.executable, "-c", words], 20)


def test_a_command_that_takes_too_long_is_ended(tmp_path) -> None:
    with pytest.raises(GetError, match="not done within"):
        making(tmp_path).run([sys.executable, "-c", "import time; time.sleep(60)"], 0.3)


def test_a_program_that_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(GetError, match="cannot run /nowhere/pip"):
        making(tmp_path).run(["/nowhere/pip"], 5)


def test_the_telling_line_is_the_last_that_names_a_wrong() -> None:
    assert telling(["Error: a", "could not b", "bye"]) == "could not b"
    assert telling(["one", " two  words "]) == "two words"
    assert telling([]) == "it said nothing"


def test_a_cache_is_free_again_for_the_next(tmp_path) -> None:
    said = []
    with alone(tmp_path, said.append):
        pass
    with alone(tmp_path, said.append):
        assert said == []


def test_scripts_name_the_interpreter_where_it_will_be(tmp_path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/vllm").write_text("#!/old/venv/bin/python\nimport vllm\n")
    (tmp_path / "bin/other").write_text("#!/bin/sh\n")
    move(tmp_path, tmp_path.__class__("/old/venv"), tmp_path.__class__("/new/venv"))
    assert (tmp_path / "bin/vllm").read_text() == "#!/new/venv/bin/python\nimport vllm\n"
    assert (tmp_path / "bin/other").read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize(
    ("requirement", "kept"),
    [
        ("torch==2.13.0+cpu; platform_machine == 'x86_64'", False),
        ("torchvision; platform_machine != 'riscv64'", False),
        ("pandas; extra == 'bench'", False),
        ("transformers<5.20.0,>=5.16.1", True),
        ("fastapi[standard]<0.137.0", True),
        ("torch-like", True),
    ],
)
def test_what_vllm_requires_is_taken_without_torch_and_extras(requirement, kept) -> None:
    assert wanted(requirement) is kept


def test_the_start_script_becomes_vllm_and_lets_settings_win(tmp_path) -> None:
    text = script_text(tmp_path)
    assert text.splitlines()[-1] == f'exec "{tmp_path}/bin/vllm" "$@"'
    assert 'export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"' in text


def test_what_cannot_be_had_is_told_and_the_rest_goes_on(tmp_path) -> None:
    own = tmp_path / "vllm"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    variables = {"INFERAGENT_REAL_CACHE": str(tmp_path / "cache"), "PATH": "", "INFERAGENT_VLLM": str(own)}
    cloudflared, vllm = get_all(("cloudflared", "vllm"), [].append, variables)
    assert cloudflared.program is None
    assert cloudflared.reason == "not on PATH; set INFERAGENT_CLOUDFLARED"
    assert vllm.program.path == own
    assert (tmp_path / "cache/models/tiny-llama/model.safetensors").exists()


def test_a_model_is_made_on_the_spot(tmp_path) -> None:
    one = Making("models/tiny.gguf", tmp_path, [].append)
    make_file(one, MODELS["models/tiny.gguf"])
    assert one.done.read_bytes()[:4] == b"GGUF"
    assert not one.part.exists()
