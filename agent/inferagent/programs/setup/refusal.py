"""Why setup goes no further, and the question that it asks where it must not choose by itself."""

from collections.abc import Callable
from typing import TypeAlias

Choose: TypeAlias = Callable[
    [str, str, tuple[str, ...]], str
]  # what is so, the option, the choices → one of them


class RefusedError(Exception):
    """Setup must not go on. The text names the reason and the way out."""


def ask_nobody(what: str, option: str, choices: tuple[str, ...]) -> str:
    raise RefusedError(f"cannot choose: {what}: {', '.join(choices)}; say which ({option})")
