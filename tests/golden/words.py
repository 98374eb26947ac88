"""What `inferagent status` says where there is no state of a host: no configuration, no agent, no answer."""

import errno
from pathlib import Path

from tests.golden.made import shown

from inferagent.cli.client import _not_understood, _unreachable
from inferagent.programs.unconfigured import Unconfigured

SOCKET = Path("/run/inferagent/control.sock")


def texts() -> dict[str, str]:
    return {
        "unconfigured": shown(Unconfigured().status()),
        "agent-not-running": _said(_unreachable(SOCKET, OSError(errno.ENOENT, "No such file or directory"))),
        "agent-dead": _said(_unreachable(SOCKET, OSError(errno.ECONNREFUSED, "Connection refused"))),
        "agent-silent": _said(_unreachable(SOCKET, TimeoutError())),
        "agent-forbids": _said(_unreachable(SOCKET, PermissionError(errno.EACCES, "Permission denied"))),
        "agent-of-another-kind": _said(_not_understood(SOCKET)),
    }


def _said(error) -> str:
    return f"{error}\n  → {error.cure}\n[exit code 3]\n"
