"""Finds the line of each key in a TOML text that tomllib has already accepted (tomllib tells no lines).

A scanner, no parser: it follows tables, [[lists of tables]], dotted and quoted keys, inline tables and
arrays, and steps over every kind of string. Values are not read.
"""

import re
import tomllib
from dataclasses import dataclass, field

from inferagent.config.errors import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def locate(text: str) -> dict[KeyPath, int]:
    """Line (from 1) of every table, key and list element, by its full path; the first mention counts."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return scanner.lines


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    lines: dict[KeyPath, int] = field(default_factory=dict)
    counts: dict[KeyPath, int] = field(default_factory=dict)  # elements of each [[list]] so far
    _known: tuple[int, int] = (0, 1)  # a place, and the line that it is on

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self._take("[["):
                table = self._header(listed=True)
            elif self._take("["):
                table = self._header(listed=False)
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _header(self, *, listed: bool) -> KeyPath:
        line = self._line()
        names = self._key()
        self._expect("]]" if listed else "]")
        path: KeyPath = ()
        for name in names[:-1]:
            path = self._latest((*path, name))
            self._note(path, line)
        path = (*path, names[-1])
        if not listed:
            self._note(path, line)
            return path
        self._note(path, line)
        self.counts[path] = self.counts.get(path, 0) + 1
        path = self._latest(path)
        self._note(path, line)
        return path

    def _latest(self, path: KeyPath) -> KeyPath:
        """The last element where the path names a list of tables."""
        return (*path, self.counts[path] - 1) if path in self.counts else path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, line)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._take("{"):
            self._inline_table(path)
        elif self._take("["):
            self._array(path)
        else:
            for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL, _SCALAR):
                if self._skip(pattern):
                    return
            raise self._lost("a value")

    def _inline_table(self, path: KeyPath) -> None:
        self._skip(_BLANK)
        while not self._take("}"):
            self._pair(path)
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _array(self, path: KeyPath) -> None:
        index = 0
        self._skip(_BLANK)
        while not self._take("]"):
            self._note((*path, index), self._line())
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            self._take(",")
            self._skip(_BLANK)

    def _key(self) -> tuple[str, ...]:
        names = [self._name()]
        while self._take("."):
            names.append(self._name())
        return tuple(names)

    def _name(self) -> str:
        self._skip(_SPACE)
        start = self.at
        for pattern in (_BARE_KEY, _BASIC, _LITERAL):
            if self._skip(pattern):
                found = self.text[start : self.at]
                self._skip(_SPACE)
                return _unquoted(found)
        raise self._lost("a key")

    def _line(self) -> int:
        at, line = self._known
        self._known = self.at, line + self.text.count("\n", at, self.at)
        return self._known[1]

    def _note(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        if found is None or found.end() == self.at:
            return False
        self.at = found.end()
        return True

    def _take(self, mark: str) -> bool:
        if not self.text.startswith(mark, self.at):
            return False
        self.at += len(mark)
        return True

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise self._lost(f'"{mark}"')

    def _lost(self, wanted: str) -> ValueError:
        return ValueError(f"cannot find {wanted} on line {self._line()}")


def _unquoted(name: str) -> str:
    if name[0] not in "\"'":
        return name
    return str(tomllib.loads(f"name = {name}")["name"])
