"""vLLM into a venv, with a uv and a Python that only write down what they are asked."""

from pathlib import Path

import pytest
from tests.support.fake_uv import PYTHON, give_uv, next_version
from tests.support.install_host import InstallHost


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    made = InstallHost(tmp_path / "host")
    made.sources('[vllm]\nspace = 1\nindex = "http://127.0.0.1:9/simple"\n')
    give_uv(made)
    return made


def install(host: InstallHost, version: str, **given: object) -> int:
    next_version(host, version)
    return host.install("vllm", {"version": version, **given})


def test_uv_makes_the_venv_in_its_place_and_installs_into_it(host):
    assert install(host, "0.20.2") == 0, host.said
    folder = host.parts / "vllm" / "0.20.2"
    venv, pip, check = host.calls("uv")
    python = str(host.bin / "python3.12")
    assert venv == ["uv", "venv", "--no-python-downloads", "--python", python, str(folder)]
    inside = str(folder / "bin" / "python")
    assert pip == ["uv", "pip", "install", "--python", inside, "--only-binary", ":all:", "vllm==0.20.2"]
    assert check == ["uv", "pip", "check", "--python", inside]
    assert str((host.host.links / "vllm").readlink()) == str(host.parts / "vllm" / "current" / "bin" / "vllm")


def test_the_index_and_the_cache_are_told_by_the_environment(host):
    install(host, "0.20.2")
    text = (host.bin / "environment").read_text()
    assert text == f"http://127.0.0.1:9/simple {host.parts}/vllm/cache\n"


def test_hashes_instead_of_a_version(host):
    install(host, "0.20.2", requirements="/etc/vllm.txt")
    assert host.calls("uv")[1][-3:] == ["--require-hashes", "--requirement", "/etc/vllm.txt"]


def test_a_second_version_beside_the_first_and_back(host):
    for version in ("0.20.1", "0.20.2"):
        assert install(host, version) == 0, host.said
    assert str((host.parts / "vllm" / "current").readlink()) == "0.20.2"
    assert host.install("vllm", rollback=True) == 0
    assert str((host.parts / "vllm" / "current").readlink()) == "0.20.1"
    calls = len(host.calls("uv"))
    assert install(host, "0.20.2") == 0, "it is still here"
    assert len(host.calls("uv")) == calls


@pytest.mark.parametrize(("sign", "said"), [("fails", "no such package"), ("hangs", "within 0.3 s")])
def test_an_installation_that_fails_or_hangs_leaves_the_version_before(host, sign, said):
    assert install(host, "0.20.1") == 0
    host.sources("[vllm]\nspace = 1\n", venv="300ms" if sign == "hangs" else "5s")
    (host.bin / sign).write_text("")
    assert install(host, "0.20.2") == 1
    assert said in host.said
    assert not (host.parts / "vllm" / "0.20.2").exists()
    assert str((host.parts / "vllm" / "current").readlink()) == "0.20.1"
    (host.bin / sign).unlink()
    host.sources("[vllm]\nspace = 1\n")
    assert install(host, "0.20.2") == 0, "the next try begins anew"


def test_another_version_than_the_one_that_was_asked_for(host):
    (host.bin / "version").write_text("0.1\n")
    assert host.install("vllm", {"version": "0.20.2"}) == 1
    assert "vllm 0.1 came, expected 0.20.2" in host.said


def test_a_driver_that_is_too_old_is_refused_before_anything_is_made(host):
    path = host.host.at("/proc/driver/nvidia/version")
    path.parent.mkdir(parents=True)
    path.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12\n")
    assert install(host, "0.20.2") == 1
    assert "needs an NVIDIA driver of 580.65.06 or newer, this host runs 535.183.01" in host.said
    assert host.calls("uv") == []
    assert install(host, "0.19.0") == 0, host.said


def test_no_room(host):
    host.sources("[vllm]\nspace = 1_000_000_000_000_000\n")
    assert install(host, "0.20.2") == 1
    assert "cannot put 1000.0 TB into" in host.said


def test_no_python_that_it_runs_on(host):
    (host.bin / "python3.12").unlink()
    assert install(host, "0.20.2") == 1
    assert "no Python 3.10 to 3.13 is here" in host.said
    host.program("python3", "echo 3.14\n")
    assert install(host, "0.20.2") == 1
    host.program("python3", "echo 3.11\n")
    assert install(host, "0.20.2") == 0, host.said


def test_a_python_in_somebodys_home_is_none(host):
    (host.bin / "python3.12").unlink()
    (host.bin / "python3.12").symlink_to("/home/somebody/python3.12")
    (host.bin / "python3").symlink_to("/home/somebody/python3")
    assert install(host, "0.20.2") == 1
    assert "no Python" in host.said


def test_a_python_that_hangs_is_none(host):
    host.sources("[vllm]\nspace = 1\n", program="300ms")
    host.program("python3.12", "exec /bin/sleep 60\n")
    assert install(host, "0.20.2") == 1
    assert "no Python" in host.said


def test_pip_where_there_is_no_uv(host):
    (host.bin / "uv").unlink()
    body = (
        'if [ "$3" = venv ]; then /bin/mkdir -p "$last/bin"; /bin/cp "$here/inside" "$last/bin/python"; fi\n'
    )
    host.program("python3.12", PYTHON + body)
    assert install(host, "0.20.2") == 0, host.said
    assert "by pip" in host.said
    assert host.calls("python3.12")[-1][1:4] == ["-I", "-m", "venv"]


def test_no_version_is_asked_for(host):
    assert host.install("vllm", {"version": ""}) == 1
    assert "no version is given → --version" in host.said
