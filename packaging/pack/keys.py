"""The key that signs: the publisher's, or one made for tests; gpg works in a folder of its own."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pack.project import PackError, run

WHO = "inferagent test key, not for publishing"


@dataclass(frozen=True)
class Key:
    """`home`: gpg's folder while it may sign."""

    home: Path
    fingerprint: str

    def gpg(self, *argv: str) -> str:
        given = ["--homedir", str(self.home), "--batch", "--yes", "--local-user", self.fingerprint]
        return run("gpg", *given, "--pinentry-mode", "loopback", "--passphrase", "", *argv)

    def public(self) -> str:
        return self.gpg("--armor", "--export", self.fingerprint)

    def sign(self, path: Path, signature: Path) -> None:
        """Beside the file."""
        self.gpg("--armor", "--output", str(signature), "--detach-sign", str(path))

    def sign_within(self, path: Path, signed: Path) -> None:
        """File and signature in one."""
        self.gpg("--output", str(signed), "--clear-sign", str(path))


def check(secret: Path) -> None:
    """Before anything is built for it. Raises PackError."""
    try:
        secret.open("rb").close()
    except OSError as error:
        raise PackError(f"cannot read the key {secret}: {error.strerror}") from error


@contextmanager
def signing(secret: Path | None, made: Path) -> Iterator[Key]:
    """`secret`: the publisher's secret key, without passphrase; else `made` holds a test key, or gets one."""
    home = Path(tempfile.mkdtemp(prefix="inferagent-gpg-"))  # a short path: that of its socket is bounded
    try:
        if secret is None and not made.exists():
            _make(home, made)
        else:
            run("gpg", "--homedir", str(home), "--batch", "--import", str(secret or made))
        yield Key(home, _fingerprint(home))
    finally:
        run("gpgconf", "--homedir", str(home), "--kill", "all")
        shutil.rmtree(home, ignore_errors=True)


def _make(home: Path, made: Path) -> None:
    argv = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
    run(*argv, "--quick-gen-key", WHO, "rsa3072", "sign", "never")
    made.parent.mkdir(parents=True, exist_ok=True)
    made.touch(0o600)
    made.write_text(run(*argv, "--armor", "--export-secret-keys"))


def _fingerprint(home: Path) -> str:
    listed = run("gpg", "--homedir", str(home), "--batch", "--with-colons", "--list-secret-keys")
    found = re.findall(r"^sec:.*\n(?:grp:.*\n)?fpr:+([0-9A-F]+):", listed, re.MULTILINE)
    if len(found) != 1:
        raise PackError(f"cannot sign with {len(found)} secret keys: give a file that holds one")
    return str(found[0])
