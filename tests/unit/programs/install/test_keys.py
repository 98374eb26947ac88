"""Fingerprints as gpg itself tells them, and files that are no key."""

import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from inferagent.config.sources import read_sources
from inferagent.ports import PortError
from inferagent.programs.install.keys import armoured, binary, fingerprints, trusted

needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="no gpg here")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, list[str]]:
    """Two keys of gpg's own, one with a subkey: binary, armoured, fingerprints of the primary ones."""
    home = tmp_path_factory.mktemp("gpg")
    home.chmod(0o700)
    gpg = [
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--pinentry-mode",
        "loopback",
    ]

    def ran(*words: str) -> bytes:
        return subprocess.run([*gpg, *words], capture_output=True, check=True, timeout=60).stdout

    ran("--quick-generate-key", "One <one@example.com>", "ed25519", "sign", "never")
    ran("--quick-generate-key", "Two <two@example.com>", "rsa2048", "sign", "never")
    listed = ran("--list-keys", "--with-colons").decode().splitlines()
    primary = [after.split(":")[9] for line, after in pairwise(listed) if line.startswith("pub")]
    ran("--quick-add-key", primary[0], "cv25519", "encr", "never")
    keys = ran("--export"), ran("--armor", "--export"), primary
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=60)
    return keys


@needs_gpg
def test_fingerprints_are_those_that_gpg_tells(made):
    packets, armour, primary = made
    assert len(primary) == 2
    assert fingerprints(packets) == primary, "a subkey is none"
    assert fingerprints(binary(armour)) == primary
    assert binary(packets) == packets


@needs_gpg
def test_gpg_takes_our_armour(made, tmp_path):
    packets, _, primary = made
    (tmp_path / "key.asc").write_bytes(armoured(packets))
    argv = ["gpg", "--homedir", str(tmp_path), "--show-keys", "--with-colons", str(tmp_path / "key.asc")]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    assert all(one in shown for one in primary)
    assert binary(armoured(packets)) == packets


@needs_gpg
def test_each_key_of_the_file_has_to_be_expected(made):
    packets, armour, (one, two) = made
    assert trusted(armour, "u", (one, f" {two.lower()[:20]} {two[20:]}")) == packets
    with pytest.raises(PortError, match=f"fingerprint {two}, expected {one} → look the new one up"):
        trusted(armour, "u", (one,))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>",
        os.urandom(200),
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!!\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
        b"\x99",
        b"\xc6\xff\x00",
        b"\x99\xff\xff\x04short",
        b"\x98\x02\x05x",
    ],
)
def test_what_is_no_key(content):
    with pytest.raises(PortError, match="no OpenPGP key"):
        trusted(content, "u", ("A" * 40,))


def test_lengths_in_the_newer_form():
    """One, two and five octets."""
    for head, size in ((b"\xc6\x06", 6), (b"\xc6\xc1\x00", 448), (b"\xc6\xff\x00\x00\x01\x00", 256)):
        body = b"\x04" + b"x" * (size - 1)
        assert len(fingerprints(head + body)) == 1


def test_the_shipped_fingerprint_has_the_form_of_one():
    (one,) = read_sources(Path("/nonexistent")).cloudflared.fingerprints
    assert len(one) == 40
    assert int(one, 16) > 0
