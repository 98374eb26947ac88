"""vLLM as an image by its digest, with a docker that only writes down what it is asked."""

from pathlib import Path

import pytest
from tests.support.install_host import InstallHost

ONE, TWO = (f"vllm/vllm-openai@sha256:{digit * 64}" for digit in "12")
DOCKER = """
case "$*" in
  *inspect*)
    if [ -e "$here/${last##*:}" ]; then echo no such image >&2; exit 1; fi
    read found < "$here/architecture"; echo "$found" ;;
  *) if [ -e "$here/hangs" ]; then exec /bin/sleep 60; fi ;;
esac
"""


@pytest.fixture
def host(tmp_path: Path) -> InstallHost:
    made = InstallHost(tmp_path / "host")
    made.sources('[vllm]\nsource = "image"\nspace = 1\n')
    made.program("docker", DOCKER)
    (made.bin / "architecture").write_text("amd64\n")
    return made


def test_an_image_is_pulled_by_its_digest_and_remembered(host):
    assert host.install("vllm", {"image": ONE}) == 0, host.said
    assert "driver" not in host.said, "nobody knows which vLLM is in it"
    assert host.calls("docker")[0] == ["docker", "pull", ONE]
    assert f'write image = "{ONE}" under [[engine]] in config.toml' in host.said
    assert str((host.parts / "vllm" / "current").readlink()) == "image-111111111111"
    assert (host.parts / "vllm" / "current" / "image").read_text() == f"{ONE}\n"
    assert host.install("vllm", {"image": TWO}) == 0
    assert host.install("vllm", rollback=True) == 0, host.said
    assert (host.parts / "vllm" / "current" / "image").read_text() == f"{ONE}\n"


def test_back_only_to_an_image_that_is_still_here(host):
    for image in (ONE, TWO):
        assert host.install("vllm", {"image": image}) == 0
    (host.bin / ("1" * 64)).write_text("")
    assert host.install("vllm", rollback=True) == 1
    assert "no such image" in host.said
    assert str((host.parts / "vllm" / "current").readlink()) == "image-222222222222"


def test_the_digest_of_another_architecture(host):
    (host.bin / "architecture").write_text("arm64\n")
    assert host.install("vllm", {"image": ONE}) == 1
    assert "it is for arm64, this host is amd64" in host.said


def test_a_pull_that_hangs(host):
    host.sources('[vllm]\nsource = "image"\nspace = 1\n', image="300ms")
    (host.bin / "hangs").write_text("")
    assert host.install("vllm", {"image": ONE}) == 1
    assert "within 0.3 s" in host.said
    assert not (host.parts / "vllm" / "current").exists()


@pytest.mark.parametrize(
    ("image", "code", "said"),
    [
        ("", 1, "cannot tell which image to pull"),
        ("vllm/vllm-openai:latest", 78, "must be an image by its digest"),
        (f"--privileged@sha256:{'1' * 64}", 78, "must be an image by its digest"),
    ],
)
def test_an_image_without_a_digest(host, image, code, said):
    assert host.install("vllm", {"image": image}) == code
    assert said in host.said


def test_no_docker(host):
    (host.bin / "docker").unlink()
    assert host.install("vllm", {"image": ONE}) == 1
    assert "cannot find docker → sudo apt-get install docker.io" in host.said
