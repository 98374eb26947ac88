import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inferagent.config.errors import ConfigError
from inferagent.config.fragments import config_files, find_run, read_fragment, read_input


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_files_are_merged_in_the_order_of_their_names(tmp_path):
    write(tmp_path, "config.toml", "[drain]\nsettle = '1s'\nquiet = '1s'\ndeadline = '1s'\n")
    write(tmp_path, "conf.d/20-b.toml", "[drain]\nsettle = '3s'\n")
    write(tmp_path, "conf.d/10-a.toml", "[drain]\nsettle = '2s'\nquiet = '2s'\n")
    write(tmp_path, "conf.d/30-c.conf", "[drain]\nsettle = '9s'\n")
    drain = read_input(tmp_path).data["drain"]
    assert (drain["settle"], drain["quiet"], drain["deadline"]) == ("3s", "2s", "1s")
    assert drain["shutdown"] == "25s"  # shipped


def test_a_list_of_tables_is_replaced_whole(tmp_path):
    write(tmp_path, "config.toml", "[[engine]]\nkind = 'vllm'\nurl = 'x'\n[[engine]]\nkind = 'vllm'\n")
    write(tmp_path, "conf.d/a.toml", "\n\n[[engine]]\nkind = 'ollama'\n")
    merged = read_input(tmp_path)
    assert merged.data["engine"] == [{"kind": "ollama"}]
    place = merged.place(("engine", 0, "kind"))
    assert (Path(place.file).name, place.line) == ("a.toml", 4)


def test_the_place_of_a_missing_key_is_its_table(tmp_path):
    write(tmp_path, "config.toml", "mode = 'act'\n\n[connector]\ncommand = ['x']\n")
    merged = read_input(tmp_path)
    assert merged.place(("connector", "hostname")).line == 3
    assert str(merged.place(("membership", "kind"))) == f"{tmp_path}/config.toml:1"


def test_a_table_that_a_value_replaces_leaves_no_old_places(tmp_path):
    write(tmp_path, "config.toml", "[drain]\nsettle = '1s'\n")
    write(tmp_path, "conf.d/a.toml", "drain = 3\n")
    merged = read_input(tmp_path)
    assert merged.data["drain"] == 3
    assert Path(merged.place(("drain", "settle")).file).name == "a.toml"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = \nc = 3\n", 2),
        ("a = 1\na = 2\n", 2),
        ("[drain\n", 1),
        ("x = 'unended\n", 1),
        ("x = 1\ny = '''a\nb\n", 3),
        (b"a = 1\nb = '\xff'\n", 2),
    ],
)
def test_a_file_that_is_no_toml_names_file_and_line(tmp_path, text, line):
    path = write(tmp_path, "config.toml", text)
    with pytest.raises(ConfigError) as caught:
        read_input(tmp_path)
    (problem,) = caught.value.problems
    assert str(problem.place) == f"{path}:{line}"
    assert "cannot be read" in problem.what
    assert problem.cure


def test_every_broken_file_is_named(tmp_path):
    write(tmp_path, "config.toml", "a =\n")
    write(tmp_path, "conf.d/a.toml", "b =\n")
    (tmp_path / "conf.d" / "b.toml").mkdir()
    with pytest.raises(ConfigError) as caught:
        read_input(tmp_path)
    assert [Path(problem.place.file).name for problem in caught.value.problems] == [
        "config.toml",
        "a.toml",
        "b.toml",
    ]


def test_a_huge_file_is_refused_unread(tmp_path):
    write(tmp_path, "config.toml", "#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than"):
        read_input(tmp_path)


def test_towers_of_brackets_are_an_error_and_no_crash(tmp_path):
    write(tmp_path, "config.toml", "a = " + "[" * 50_000 + "]" * 50_000)
    with pytest.raises(ConfigError, match="nested too deep"):
        read_input(tmp_path)


@pytest.mark.parametrize("text", ["a" + ".a" * 3000 + " = 1", f"a = {'[' * 40}{']' * 40}"])
def test_towers_of_tables_are_an_error_and_no_crash(tmp_path, text):
    write(tmp_path, "config.toml", text)
    with pytest.raises(ConfigError, match="nested too deep"):
        read_input(tmp_path)


def test_a_number_of_thousands_of_digits_is_an_error_and_no_crash(tmp_path):
    write(tmp_path, "config.toml", f"a = {'1' * 5000}")
    with pytest.raises(ConfigError, match="too long"):
        read_input(tmp_path)


def test_many_keys_cost_little(tmp_path):
    write(tmp_path, "config.toml", "\n".join(f"k{number} = {number}" for number in range(20_000)))
    begun = time.process_time()
    assert len(read_input(tmp_path).data) > 20_000
    assert time.process_time() - begun < 5.0  # each key once, not each key for each key


def test_no_file_means_unconfigured(tmp_path):
    assert config_files(tmp_path / "nowhere") == ()


SHIPPED = Path("/run/inferagent")


def test_the_runtime_folder_stands_where_the_files_say(tmp_path):
    assert find_run(tmp_path) == (SHIPPED, None)
    write(tmp_path, "config.toml", "[agent]\nrun = '/somewhere'\n")
    assert find_run(tmp_path) == (Path("/somewhere"), None)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("[agent]\nrun = '/somewhere'\nbroken = \n", "/somewhere"),
        ('[host]\nbroken = \n[agent]  # folders\n  run="/somewhere"  # here\n', "/somewhere"),
        ("broken = \n[agent]\nstate = '/state'\n", "/run/inferagent"),
        ("broken = \n[engine]\nrun = '/elsewhere'\n", "/run/inferagent"),
        ("broken = \nrun = '/elsewhere'\n", "/run/inferagent"),
    ],
)
def test_of_a_broken_file_the_one_line_is_found_and_the_error_is_told(tmp_path, text, run):
    write(tmp_path, "config.toml", text)
    found, error = find_run(tmp_path)
    assert found == Path(run)
    assert "cannot be read as TOML" in str(error)
    assert not error.unreadable


def test_the_runtime_folder_is_found_beside_a_broken_file(tmp_path):
    write(tmp_path, "config.toml", "[agent]\nrun = '/somewhere'\n")
    write(tmp_path, "conf.d/a.toml", "broken = \n")
    found, error = find_run(tmp_path)
    assert found == Path("/somewhere")
    assert "conf.d/a.toml:1" in str(error)


@pytest.mark.parametrize(("text", "key"), [("agent = 3\n", "agent"), ("[agent]\nrun = 3\n", "agent.run")])
def test_nonsense_is_told_and_the_shipped_folder_is_tried(tmp_path, text, key):
    write(tmp_path, "config.toml", text)
    found, error = find_run(tmp_path)
    assert found == SHIPPED
    assert f" {key}: cannot be used" in str(error)


def test_of_several_errors_all_are_told(tmp_path):
    write(tmp_path, "config.toml", "a =\n")
    write(tmp_path, "conf.d/a.toml", "b =\n")
    _, error = find_run(tmp_path)
    assert len(error.problems) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="a file that only root reads needs root to make")
def test_files_that_this_user_may_not_read_are_no_broken_ones(tmp_path):
    """In a process of its own, as nobody."""
    write(tmp_path, "config.toml", "[agent]\nrun = '/somewhere'\n")
    (tmp_path / "config.toml").chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o011)
    code = (
        "import os, sys; from pathlib import Path; from inferagent.config.fragments import find_run;"
        "os.setgid(65534); os.setuid(65534); found, error = find_run(Path(sys.argv[1]));"
        "print(found, error.unreadable, error)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert said.stdout.startswith("/run/inferagent True "), said
    assert "cannot be read: permission denied" in said.stdout


@pytest.mark.parametrize("name", ["config.toml", "conf.d"])
def test_what_may_not_be_looked_at_is_not_taken_for_missing(tmp_path, name):
    (tmp_path / name).symlink_to(name)  # nobody, root included, can look behind this
    with pytest.raises(ConfigError, match="cannot be read"):
        config_files(tmp_path)


def test_a_byte_order_mark_is_named_with_its_cure(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbf[agent]\nrun = "/run/other"\n')
    with pytest.raises(ConfigError) as caught:
        read_fragment(path)
    (problem,) = caught.value.problems
    assert (problem.place.line, problem.what) == (1, "cannot be read: it begins with a byte order mark (BOM)")
    sed = problem.cure.partition("or: sudo ")[2]
    subprocess.run(sed, shell=True, check=True)
    assert read_fragment(path).data == {"agent": {"run": "/run/other"}}


def test_a_mark_does_not_hide_the_runtime_folder(tmp_path):
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbf[agent]\nrun = "/run/other"\n')
    run, error = find_run(tmp_path)
    assert str(run) == "/run/other"
    assert "byte order mark" in str(error)
