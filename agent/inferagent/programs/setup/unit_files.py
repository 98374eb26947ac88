"""A systemd unit as its files say it, drop-ins included: what somebody installed, and setup may adopt."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inferagent.adapters.files import why
from inferagent.ports import PortError

ETC = "etc/systemd/system"
FOLDERS = (
    ETC,
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
# What systemd is told by generators (quadlets) and by systemd-run: there, but nobody's to change.
MADE = tuple(
    f"run/systemd/{name}" for name in ("generator.early", "generator", "generator.late", "transient")
)
OURS = "50-inferagent.conf"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """`settings` are the (key, value) of its [Service] in their order; an empty value ends those before."""

    name: str
    path: Path
    settings: tuple[tuple[str, str], ...]

    def values(self, key: str) -> list[str]:
        found: list[str] = []
        for name, value in self.settings:
            if name == key:
                found = [*found, value] if value else []
        return found

    @property
    def command(self) -> list[str]:
        """The words of the last ExecStart=, without the signs before them; [] where it cannot be read."""
        lines = self.values("ExecStart")
        words = _words(lines[-1]) if lines else []
        return [words[0].lstrip("@-:+!"), *words[1:]] if words else []

    @property
    def environment(self) -> dict[str, str]:
        pairs = (word.partition("=") for line in self.values("Environment") for word in _words(line))
        return {name: value for name, equals, value in pairs if equals}


def units(root: Path, pattern: str) -> list[str]:
    """The names of the service units that match, of every folder; masked ones are left out."""
    found = {path.name for folder in FOLDERS for path in (root / folder).glob(pattern)}
    return sorted(name for name in found if find(root, name) is not None)


def find(root: Path, name: str, *, ours: bool = True) -> UnitFile | None:
    """None: there is no such unit, or it is masked. `ours`: with the drop-in that setup wrote."""
    path = next((p for folder in FOLDERS if (p := root / folder / name).exists() or p.is_symlink()), None)
    if path is None or path.resolve() == Path("/dev/null"):
        return None
    drop_ins = [p for p in _drop_ins(root, name) if ours or p.name != OURS]
    return UnitFile(name, path, tuple(pair for p in (path, *drop_ins) for pair in _service(_text(p))))


def exists(root: Path, name: str) -> bool:
    """Masked ones too; of name@instance.service the template counts."""
    stem, at, _ = name.partition("@")
    files = {name, f"{stem}@.service"} if at else {name}
    places = [root / folder / file for folder in (*FOLDERS, *MADE) for file in files]
    return any(place.exists() or place.is_symlink() for place in places)


def drop_in(root: Path, name: str) -> Path:
    return root / ETC / f"{name}.d" / OURS


def _drop_ins(root: Path, name: str) -> list[Path]:
    """By their names; of two of one name the one in the folder that comes first."""
    found: dict[str, Path] = {}
    for folder in reversed(FOLDERS):
        found |= {path.name: path for path in (root / folder / f"{name}.d").glob("*.conf")}
    return [found[each] for each in sorted(found)]


def _service(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in text.replace("\\\n", " ").splitlines():
        plain = line.strip()
        if plain.startswith("["):
            section = plain
        elif section == "[Service]" and plain and plain[0] not in "#;":
            key, equals, value = plain.partition("=")
            if equals:
                yield key.strip(), value.strip()


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return []


def option(words: Sequence[str], name: str) -> str:
    """The value of `--name VALUE` or `--name=VALUE`, "" where there is none."""
    for at, word in enumerate(words):
        if word == name and at + 1 < len(words):
            return words[at + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return ""


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise PortError(f"cannot read {path}: {why(error)}") from error
