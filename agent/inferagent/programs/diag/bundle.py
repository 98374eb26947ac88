"""The bundle: members read side by side, redacted, listed in a manifest, packed for its owner alone."""

import asyncio
import io
import os
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from inferagent.adapters.files import why
from inferagent.config.present import mode_of
from inferagent.config.secrets import FOLDER
from inferagent.ports import PortError
from inferagent.programs.diag.members import MEMBERS, Member, Source, read_all, source
from inferagent.programs.diag.redact import Redactor
from inferagent.programs.doctor.sight import Direction
from inferagent.runtime.logs import configure

MODE = 0o600
MANIFEST = "MANIFEST.txt"
HANDED = "CREDENTIALS_DIRECTORY"
LARGEST_SECRET = 64 * 1024
SAID = """What is in this bundle of host {host}, and what was taken out of it.

{rows}
Taken out: the contents of every credential file (API token, tunnel token, webhook, service token), whatever
looks like a token or a key, paths and queries of foreign URLs, mail addresses, and ids of the account; an
id stands as the same (word) throughout. Still in it: host names, model names, addresses of machines,
and what programs wrote into their logs. Look through it before you give it away.
"""


def wanted(*, logs: bool = True) -> tuple[Member, ...]:
    return tuple(member for member in MEMBERS if logs or not member.log)


def pack(
    direction: Direction, target: Path, *, logs: bool = True, redactor: type[Redactor] = Redactor
) -> tuple[tuple[str, int], ...]:
    """Writes the bundle; the names and sizes in it. PortError: it cannot be written, or is there already.

    Nothing is written where a known secret would be in it.
    """
    configure()  # what is logged on the way is no part of what is said
    given = source(direction)
    cleaner = redactor(secrets_of(given), names_of(given))
    texts = asyncio.run(read_all(wanted(logs=logs), given))
    clean = {name: cleaner.clean(text) for name, text in texts.items()}
    host = given.settings.host.name if given.settings else "(not configured)"
    files = {MANIFEST: _manifest(host, clean), **clean}
    for name, text in files.items():
        if cleaner.leaks(text.encode()):
            raise PortError(f"cannot pack {name}: a secret would be in it; please report this")
    _write(target, _packed(files, target.name.partition(".")[0]))
    return tuple((name, len(text.encode())) for name, text in files.items())


def secrets_of(given: Source) -> Iterator[str]:
    """The contents of every file in both folders of credentials, and a webhook's address."""
    handed = given.direction.environ.get(HANDED)
    for folder in (given.direction.folder / FOLDER, *([Path(handed)] if handed else [])):
        for path in _listed(folder):
            yield from _lines(path)
    if given.settings:
        yield given.settings.notify.webhook


def _listed(folder: Path) -> list[Path]:
    """PortError where nobody can tell what is in it."""
    try:
        return sorted(folder.iterdir()) if mode_of(folder) else []
    except OSError as error:
        raise PortError(f"cannot list {folder}: {why(error)}, so nobody can keep it out; use sudo") from error


def _lines(path: Path) -> list[str]:
    """PortError where it cannot be read: then nobody could take it out either."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_SECRET).decode("utf-8", "replace")
    except IsADirectoryError:
        return []
    except OSError as error:
        raise PortError(f"cannot read {path}: {why(error)}, so nobody can keep it out; use sudo") from error
    return text.split()


def names_of(given: Source) -> Iterator[tuple[str, str]]:
    if given.settings:
        own = given.settings.membership
        yield from ((own.account, "account"), (own.zone, "zone"), (own.pool, "pool"))
        yield from ((own.load_balancer, "load balancer"), (given.settings.connector.tunnel, "tunnel"))


def _manifest(host: str, clean: Mapping[str, str]) -> str:
    about = {member.name: member.about for member in MEMBERS}
    rows = [f"{name:<14}{len(text.encode()):>9}  {about[name]}\n" for name, text in clean.items()]
    return SAID.format(host=host, rows="".join(rows))


def _packed(files: Mapping[str, str], folder: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(content), MODE, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _write(target: Path, content: bytes) -> None:
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        raise PortError(f"cannot write {target}: {why(error)}") from error
