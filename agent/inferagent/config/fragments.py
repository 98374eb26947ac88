"""The files of a configuration: each read with its line numbers (fragment), then merged by name (input).

No pydantic here: `inferagent status` needs only the runtime folder and must start fast.
"""

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from inferagent.config.errors import ConfigError, KeyPath, Place, Problem, dotted
from inferagent.config.locate import locate
from inferagent.config.present import mode_of

DEFAULT_FOLDER = Path("/etc/inferagent")
SHIPPED = "shipped defaults"
LARGEST = 1024 * 1024  # bytes; a configuration is a page, not a book
DEEPEST = 20  # levels
_RUN = re.compile(r"""\s*run\s*=\s*(?:"([^"\\]+)"|'([^']+)')""")
_WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Fragment:
    """One file: what it says, and on which line."""

    file: str
    data: Mapping[str, object]
    lines: Mapping[KeyPath, int]

    def place(self, path: KeyPath) -> Place:
        """Where the key stands, else where the nearest table around it does."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Place(self.file, self.lines[path[:length]])
        return Place(self.file, 1)


@dataclass(slots=True)
class Input:
    """All files as one. `origins` names the fragment that each key came from."""

    main: str  # the file that a person edits
    data: dict[str, object] = field(default_factory=dict)
    origins: dict[KeyPath, Fragment] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Place:
        """The line of the key; of a missing one, the table in which it should stand."""
        for length in range(len(path), 0, -1):
            fragment = self.origins.get(path[:length])
            if fragment is not None and fragment.file != SHIPPED:
                return fragment.place(path)
        return Place(self.main, 1)

    def shipped(self, path: KeyPath) -> bool:
        """True where no file of this host says anything about the key, nor about the table it misses in."""
        owners = (self.origins.get(path[:length]) for length in range(len(path), 0, -1))
        owner = next((fragment for fragment in owners if fragment is not None), None)
        return owner is None or owner.file == SHIPPED

    def add(self, fragment: Fragment) -> None:
        """Merge one more file over the others: tables key by key, anything else replaced whole."""
        self._merge(self.data, fragment.data, (), fragment)

    def _merge(
        self, into: dict[str, object], data: Mapping[str, object], at: KeyPath, fragment: Fragment
    ) -> None:
        for key, value in data.items():
            path = (*at, key)
            present = into.get(key)
            if isinstance(value, dict) and isinstance(present, dict):
                if fragment.file != SHIPPED:
                    self.origins[path] = fragment
                self._merge(present, value, path, fragment)
            else:
                if present is not None:
                    self._forget(path)
                self._replace(into, key, value, path, fragment)

    def _replace(
        self, into: dict[str, object], key: str, value: object, path: KeyPath, fragment: Fragment
    ) -> None:
        self.origins[path] = fragment
        if isinstance(value, dict):
            fresh: dict[str, object] = {}
            into[key] = fresh
            self._merge(fresh, value, path, fragment)
        else:
            into[key] = value

    def _forget(self, path: KeyPath) -> None:
        for old in [key for key in self.origins if key[: len(path)] == path]:
            del self.origins[old]


def config_files(folder: Path) -> tuple[Path, ...]:
    """config.toml, then conf.d/*.toml by name; those that are there. None: the host is unconfigured."""
    main = folder / "config.toml"
    try:
        present = [main] if mode_of(main) else []
        more = (folder / "conf.d").iterdir() if mode_of(folder / "conf.d") else ()
        drop_ins = sorted((path for path in more if path.match("*.toml")), key=lambda path: path.name)
    except OSError as error:
        raise _closed(folder, error, f"sudo ls -ld {folder}") from error
    return (*present, *drop_ins)


def shipped_text() -> str:
    """The shipped defaults file: every key with its default and its explanation."""
    return Path(__file__).with_name("defaults.toml").read_text("utf-8")


@cache
def shipped_fragment() -> Fragment:
    """The defaults, as the lowest fragment. Its data is shared: a merge copies tables."""
    return parse_fragment(SHIPPED, shipped_text())


def read_input(folder: Path) -> Input:
    """All files over the shipped defaults. ConfigError names every file that cannot be read."""
    merged = Input(main=str(folder / "config.toml"))
    merged.add(shipped_fragment())
    problems: list[Problem] = []
    for path in config_files(folder):
        try:
            merged.add(read_fragment(path))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return merged


def find_run(folder: Path) -> tuple[Path, ConfigError | None]:
    """The runtime folder, and what is wrong with the files that say which it is.

    Of a broken file only that one line is looked for: a slip in it must not keep anybody from `drain`.
    """
    merged = Input(main=str(folder / "config.toml"))
    merged.add(shipped_fragment())
    found: list[ConfigError] = []
    for path in _files(folder, found):
        try:
            merged.add(read_fragment(path))
        except ConfigError as error:
            found.append(error)
            merged.add(Fragment(str(path), _salvaged(path), {}))
    agent = merged.data.get("agent")
    run = agent.get("run") if isinstance(agent, dict) else None
    if not isinstance(run, str):
        key = ("agent", "run") if isinstance(agent, dict) else ("agent",)
        cure = 'write run = "/run/inferagent" under [agent], or delete it'
        found.append(ConfigError((Problem(merged.place(key), dotted(key), "cannot be used", cure),)))
        run = _shipped_run()
    return Path(run), _joined(found)


def _files(folder: Path, found: list[ConfigError]) -> tuple[Path, ...]:
    try:
        return config_files(folder)
    except ConfigError as error:
        found.append(error)
        return ()


def _joined(found: list[ConfigError]) -> ConfigError | None:
    if not found:
        return None
    problems = tuple(problem for error in found for problem in error.problems)
    return ConfigError(problems, unreadable=all(error.unreadable for error in found))


def _shipped_run() -> str:
    agent = shipped_fragment().data["agent"]
    assert isinstance(agent, dict)
    return str(agent["run"])


def _salvaged(path: Path) -> dict[str, object]:
    """The line run = "..." under [agent] of a file that as a whole cannot be read as TOML."""
    try:
        lines = path.read_bytes()[:LARGEST].decode("utf-8-sig", "replace").splitlines()
    except OSError:
        return {}
    table = ""
    for line in lines:
        table = line.strip() if line.lstrip().startswith("[") else table
        said = _RUN.match(line)
        if said and table.startswith("[agent]"):
            return {"agent": {"run": said[1] or said[2]}}
    return {}


def read_fragment(path: Path) -> Fragment:
    """One file of the host."""
    try:
        raw = path.read_bytes()
        if len(raw) > LARGEST:
            raise _unreadable(path, f"it is larger than {LARGEST} bytes", "keep only settings in it")
        if raw.startswith(BOM_UTF8):
            cure = f"save it as UTF-8 without that mark, or: sudo sed -i '1s/^\\xef\\xbb\\xbf//' {path}"
            raise _unreadable(path, "it begins with a byte order mark (BOM)", cure, 1)
        return parse_fragment(str(path), raw.decode("utf-8"))
    except OSError as error:
        raise _closed(path, error, f"sudo ls -l {path}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise _unreadable(path, "it is not UTF-8 text", "write it as UTF-8", line) from error


def parse_fragment(file: str, text: str) -> Fragment:
    """Text to fragment. ConfigError with the line of a syntax error."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place, what = _syntax(file, text, str(error))
        cure = f"look at line {place.line} and above it: a quote, a bracket or = is wrong, or a key is double"
        raise ConfigError((Problem(place, "", f"cannot be read as TOML: {what}", cure),)) from error
    except RecursionError as error:
        raise _too_deep(file) from error
    except ValueError as error:  # an integer of thousands of digits
        raise _unreadable(Path(file), "a number in it is too long", "write a shorter number") from error
    if _deeper(data, DEEPEST):
        raise _too_deep(file)
    return Fragment(file, data, locate(text))


def _deeper(value: object, levels: int) -> bool:
    """Whether tables and lists stand in each other on more than so many levels."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(one, levels - 1) for one in inside)


def _too_deep(file: str) -> ConfigError:
    return _unreadable(Path(file), "it is nested too deep", "write tables, not towers")


def _syntax(file: str, text: str, message: str) -> tuple[Place, str]:
    found = _WHERE.search(message)
    line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
    return Place(file, line), message[: found.start()] if found else message


def _closed(path: Path, error: OSError, cure: str) -> ConfigError:
    why = (error.strerror or "the file system refuses").lower()
    return ConfigError(_unreadable(path, why, cure).problems, unreadable=isinstance(error, PermissionError))


def _unreadable(path: Path, why: str, cure: str, line: int = 0) -> ConfigError:
    return ConfigError((Problem(Place(str(path), line), "", f"cannot be read: {why}", cure),))
