"""cloudflared as one program, with a sha256 that was given."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.install_host import InstallHost, says
from tests.support.releases import Releases, serving

PROGRAM = says("2026.8.2")
SUM = hashlib.sha256(PROGRAM).hexdigest()


@pytest.fixture
def releases() -> Iterator[Releases]:
    with serving(Releases({"/download/2026.8.2/cloudflared-linux-amd64": PROGRAM})) as served:
        yield served


@pytest.fixture
def host(tmp_path: Path, releases: Releases) -> InstallHost:
    made = InstallHost(tmp_path / "host")
    made.sources(f'[cloudflared]\nsource = "release"\nreleases = "{releases.url}"\n')
    return made


def given(version: str = "2026.8.2", **sums: str) -> dict[str, object]:
    return {"version": version, "sha256": sums or {"amd64": SUM}}


def test_the_program_is_put_beside_the_others(host):
    assert host.install("cloudflared", given()) == 0, host.said
    program = host.host.links / "cloudflared"
    assert program.read_bytes() == PROGRAM
    assert program.stat().st_mode & 0o777 == 0o755
    assert str((host.parts / "cloudflared" / "current").readlink()) == "2026.8.2"


def test_another_program_than_the_one_that_was_meant(host):
    assert host.install("cloudflared", given(amd64="a" * 64)) == 1
    assert f"its sha256 is {SUM}, expected {'a' * 64}" in host.said
    assert not (host.parts / "cloudflared" / "current").exists()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (given(arm64=SUM), "cannot trust a cloudflared without its sha256"),
        (given(amd64="abc"), "a cloudflared whose sha256 is 'abc', not 64 hex digits → --sha256 HEX"),
        ({}, "no version is given → name it with --version and its sha256"),
        (given("2026.9.9"), "it is not there → is there such a version?"),
    ],
)
def test_what_is_not_said_is_asked_for(host, what, said):
    assert host.install("cloudflared", what) == 1
    assert said in host.said
