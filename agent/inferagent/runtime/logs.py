"""The log: one line an event on stderr, short fixed phrases with facts as keys; journald adds the rest."""

import logging
import sys

import structlog


def configure(*, debug: bool = False) -> None:
    """Lines like `12:03:11 info serving phase=serving`; no colours, no secrets, no stack of wrappers."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(
                key_order=["timestamp", "level", "event"], drop_missing=True
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # httpx logs every request at INFO, with its whole address
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
