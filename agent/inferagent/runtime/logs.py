"""The log: one line an event, short fixed phrases with facts as keys; in the journal they are its fields."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from inferagent.runtime.journal import SOCKET, JournalLogger, listens
from inferagent.runtime.standard_error import StandardError


def configure(*, debug: bool = False, journal: Path = SOCKET) -> None:
    """On a terminal or in a file: `12:03:11 info serving phase=serving`; no colours, no secrets.
    Nobody waits for it to be read.

    Under systemd: the journal's fields, and no time and no level in the text, which it keeps by itself.
    """
    native = listens(os.environ, journal)
    own: list[Any] = [] if native else _console()
    factory: Callable[..., Any] = structlog.PrintLoggerFactory(StandardError(sys.stderr))  # type: ignore[arg-type]
    if native:
        logger = JournalLogger(journal)
        factory = lambda *_: logger  # noqa: E731
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, *own],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=factory,
    )
    # httpx logs every request at INFO, with its whole address
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _console() -> list[Any]:
    return [
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"], drop_missing=True),
    ]
