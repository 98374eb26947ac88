"""Keeps secrets out of the configuration: a key or an argument that would carry one is refused, unread."""

import re
from collections.abc import Iterator, Mapping

from inferagent.config.errors import KeyPath

# "token" but neither "tokens" nor "tokenizers"; a name that ends in FILE or PATH only points to a secret.
_SECRET = re.compile(r"token(?!s|iz)|secret|password|passwd|api[-_]?key|private[-_]?key", re.IGNORECASE)
_POINTER = re.compile(r"[-_](?:file|path|dir)$", re.IGNORECASE)

CURE = (
    "delete it here (if it was ever real, make a new one) and put the secret into a file of its own "
    "in credentials/ beside config.toml, mode 0600"
)


def carries_secret(name: str) -> bool:
    """True for a key, variable or option whose value would be a secret."""
    return _SECRET.search(name) is not None and _POINTER.search(name) is None


def secret_keys(data: object, at: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Every key or argument that would carry a secret, with what is wrong; values are never repeated."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            path = (*at, key)
            if len(path) > 1 and path[-2] == "serves":
                continue  # model names may be any word
            if carries_secret(key):
                yield path, "a secret must not stand in the configuration"
            else:
                yield from secret_keys(value, path)
    elif isinstance(data, list):
        for index, element in enumerate(data):
            path = (*at, index)
            option = _secret_word(element) if isinstance(element, str) else ""
            if option:
                yield path, f"{option} would show a secret to every user of this host"
            else:
                yield from secret_keys(element, path)


def _secret_word(argument: str) -> str:
    """The option (--token) or variable (TOKEN=…) that would carry a secret, in a line for a shell too."""
    for word in argument.split():
        name, equals, _ = word.partition("=")
        if (word.startswith("-") or equals) and carries_secret(name):
            return name
    return ""
