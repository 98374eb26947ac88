import pytest

RIGHT = """\
[[engine]]
kind = "vllm"
url = "http://127.0.0.1:8000"
command = ["vllm", "serve"]
environment = { GREETING = "hunter2" }
serves = { chat = "m" }
[connector]
command = ["cloudflared"]
hostname = "a.example.com"
[membership]
kind = "pull"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.toml").write_text(RIGHT)
    return tmp_path


def test_a_right_configuration_is_0(folder, run_command):
    result = run_command("config", "check", "--config", folder)
    assert (result.exit_code, result.stdout) == (0, f"the configuration in {folder} is right\n")


def test_a_wrong_one_is_78_with_file_line_key_nearest_and_cure(folder, run_command):
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "a.toml").write_text('mode = "act"\n[drain]\nsetle = "2s"\nquiet = 3\n')
    for words in (["config", "check"], ["config", "show"], ["run"]):
        result = run_command(*words, "--config", folder)
        assert (result.exit_code, result.stdout) == (78, "")
        assert f"{folder}/conf.d/a.toml:3: drain.setle: is no key of inferagent" in result.stderr
        assert "the nearest key is drain.settle" in result.stderr
        assert f"{folder}/conf.d/a.toml:4: drain.quiet: must be a duration" in result.stderr
        assert '    → write quiet = "3s"' in result.stderr


def test_a_contradiction_is_78(folder, run_command):
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "a.toml").write_text("[ready]\nport = 8000\n")
    result = run_command("config", "check", "--config", folder)
    assert result.exit_code == 78
    assert f"{folder}/conf.d/a.toml:2: ready.port: port 8000 is used twice" in result.stderr


def test_nothing_to_check_is_78_with_the_cure(tmp_path, run_command):
    result = run_command("config", "check", "--config", tmp_path / "nowhere")
    assert result.exit_code == 78
    assert "→ sudo inferagent setup" in result.stderr


def test_show_prints_every_key_with_its_origin_and_no_secret(folder, run_command):
    result = run_command("config", "show", "--config", folder)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert next(line for line in lines if line.startswith("engine[0].url = ")).endswith(
        f"# {folder}/config.toml:3"
    )
    assert next(line for line in lines if line.startswith("drain.settle = ")).endswith("# shipped defaults")
    assert "hunter2" not in result.stdout


def test_the_folder_may_come_from_the_environment(folder, run_command, monkeypatch):
    monkeypatch.setenv("INFERAGENT_CONFIG", str(folder))
    assert run_command("config", "check").exit_code == 0
    assert run_command("config", "check", "--config", folder / "nowhere").exit_code == 78


def test_a_warning_is_said_and_is_no_error(folder, run_command):
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "a.toml").write_text(
        '[agent]\nreaders = "no-such-group"\n[[check]]\nexec = ["/no/x"]\n'
    )
    result = run_command("config", "check", "--config", folder)
    assert (result.exit_code, result.stdout) == (0, f"the configuration in {folder} is right\n")
    assert f"warning: {folder}/conf.d/a.toml:4: check[0].exec: there is no program /no/x" in result.stderr
    assert "there is no group no-such-group" in result.stderr
