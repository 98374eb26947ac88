"""Secrets: one file each, handed over by systemd ($CREDENTIALS_DIRECTORY) or kept in credentials/ beside
the configuration (folder 0700, files 0600). They never enter the settings, an argument list or a log.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from inferagent.config.present import mode_of

API_TOKEN = "cloudflare-api-token"  # noqa: S105 (the name of the file, not the secret)
TUNNEL_TOKEN = "tunnel-token"  # noqa: S105
NOTIFY_WEBHOOK = "notify-webhook"
FOLDER = "credentials"
LARGEST = 64 * 1024


class SecretError(Exception):
    """A secret cannot be read or kept. Carries the cure as a command line."""

    def __init__(self, text: str, cure: str) -> None:
        super().__init__(text)
        self.cure = cure


class Secret:
    """A text that shows itself to nobody who does not ask by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def secret_path(name: str, folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the secret is read from: systemd's folder if it has one of that name, else our own."""
    handed = environ.get("CREDENTIALS_DIRECTORY")
    if handed and mode_of(Path(handed) / name):
        return Path(handed) / name
    return folder / FOLDER / name


def read_secret(name: str, folder: Path, environ: Mapping[str, str] = os.environ) -> Secret | None:
    """The secret, None where there is none. SecretError if it lies open or cannot be read."""
    path = secret_path(name, folder, environ)
    own = path.parent == folder / FOLDER
    try:
        if own:
            _refuse_open(path.parent)
            _refuse_open(path)
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or "the file system refuses").lower()
        raise SecretError(f"cannot read {path}: {reason}", f"sudo ls -l {path}") from error
    if not raw.strip() and not own:  # what the agent's unit hands over of a secret that this host has not
        return None
    return Secret(_text(path, raw))


def write_secret(name: str, folder: Path, secret: Secret) -> Path:
    """Keep a secret in credentials/; whole or not at all, and never readable by others for a moment."""
    home = folder / FOLDER
    path, draft = home / name, home / f".{name}.new"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.chmod(0o700)
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secret.reveal() + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        reason = (error.strerror or "the file system refuses").lower()
        raise SecretError(f"cannot write {path}: {reason}", f"sudo ls -ld {home}") from error
    return path


def is_word(text: str) -> bool:
    """Whether it can be a token: one word of printable ASCII. Anything else, an HTTP library repeats in its
    error when it is put into a header."""
    return text.isascii() and text.isprintable() and bool(text) and " " not in text


def _refuse_open(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        text = f"cannot use {path}: its mode {mode:04o} lets others of this host read it"
        raise SecretError(text, f"sudo chmod {wanted} {path}")


def _text(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise SecretError(
            f"cannot use {path}: it is not text", f"write the secret into {path} anew"
        ) from error
    if not is_word(text) or len(raw) > LARGEST:
        raise SecretError(
            f"cannot use {path}: it does not hold one secret and nothing else",
            f"write the secret into {path} anew",
        )
    return text
