"""Asks the running agent over its control socket: HTTP over a unix socket, with a deadline."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from inferagent.cli.options import stop
from inferagent.config.errors import EXIT_CONFIG
from inferagent.config.fragments import find_run
from inferagent.programs.exchange import exchange

READING, ACTING = "control.sock", "operator.sock"
DEADLINE = 5.0  # seconds


class UnreachableError(Exception):
    """Nobody answers at the control socket, or nothing that can be understood. Carries the cure.

    `forbidden`: somebody does, but this user may not ask.
    """

    def __init__(self, text: str, cure: str, *, forbidden: bool = False) -> None:
        super().__init__(text)
        self.cure, self.forbidden = cure, forbidden


@dataclass(frozen=True, slots=True)
class Reply:
    """`text` is the answer as it came, `document` the same, read."""

    code: int
    text: str
    document: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return self.code == 200

    @property
    def message(self) -> str:
        return str(self.document.get("message", "")) or f"the agent answered {self.code}"

    @property
    def cure(self) -> str:
        return str(self.document.get("cure", ""))


def control_socket(folder: Path) -> Path:
    """Where the agent that was started with this configuration folder listens, for status and metrics."""
    return _socket(folder, READING)


def operator_socket(folder: Path) -> Path:
    """The same for orders."""
    return _socket(folder, ACTING)


def _socket(folder: Path, name: str) -> Path:
    """What is wrong with the configuration is said on stderr, and ends the command where no agent is found:
    nobody is to talk to another one, or to look in vain, without knowing why."""
    run, error = find_run(folder)
    path = run / name
    if error is None:
        return path
    if not os.path.exists(path):  # noqa: PTH110  a folder that may not be entered is no error here
        stop(str(error), code=EXIT_CONFIG)
    if not error.unreadable:
        click.echo(str(error), err=True)
    return path


def ask(
    path: Path,
    method: str,
    target: str,
    fields: Mapping[str, object] | None = None,
    deadline: float = DEADLINE,
) -> Reply:
    """One request to the agent. UnreachableError where no answer came."""
    body = None if fields is None else json.dumps(fields).encode()
    try:
        code, raw = exchange(path, method, target, body, deadline)
        text = raw.decode("utf-8")
        document = json.loads(text)
    except OSError as error:
        raise _unreachable(path, error) from error
    except ValueError as error:
        raise _not_understood(path) from error
    if not isinstance(document, dict):
        raise _not_understood(path)
    return Reply(code, text, document)


def _unreachable(path: Path, error: OSError) -> UnreachableError:
    reason = (error.strerror or str(error)).lower()
    if isinstance(error, TimeoutError):
        reason, cure = "it does not answer in time", "sudo journalctl -u inferagent -n 50"
    elif isinstance(error, PermissionError):
        from inferagent.runtime.sockets import may_cure

        cure = may_cure(path)
    else:
        cure = "inferagent config check && sudo systemctl start inferagent"
    forbidden = isinstance(error, PermissionError)
    return UnreachableError(f"cannot reach the agent at {path}: {reason}", cure, forbidden=forbidden)


def _not_understood(path: Path) -> UnreachableError:
    return UnreachableError(
        f"cannot understand the answer at {path}: it is not this agent's", "sudo systemctl restart inferagent"
    )
