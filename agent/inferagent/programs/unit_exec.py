"""Becomes the engine or the connector of the configuration: what systemd starts in their own units.

`unit_exec engine|connector [--config DIR]`. Nothing of this program is left: the unit's main process is the
engine itself. The tunnel's token is handed on as the name of a file.
"""

import argparse
import errno
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from inferagent.config.errors import ConfigError
from inferagent.config.load import load
from inferagent.config.secrets import TUNNEL_TOKEN, SecretError, read_secret, secret_path
from inferagent.config.settings import Settings

BAD_CONFIGURATION, CANNOT_RUN = 78, 126
# What only a person can cure; systemd starts the unit again after any other end.
HOPELESS = (errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.ENOEXEC, errno.ELOOP)
CLOUDFLARED = ("cloudflared", "tunnel", "run")
CONFIG = Path("/etc/inferagent")


class CannotExecError(Exception):
    """There is nothing to become; the text says why."""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="inferagent-unit-exec", description="Becomes a part of this host.")
    parser.add_argument("part", choices=("engine", "connector"))
    parser.add_argument("--config", type=Path, default=CONFIG, help="the configuration folder")
    options = parser.parse_args(argv)
    try:
        command, environment = wanted(options.part, options.config, os.environ)
    except ConfigError as error:
        return _refuse("\n".join(str(problem) for problem in error.problems))
    except (CannotExecError, SecretError) as error:
        return _refuse(str(error))
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 (a shell is what nobody wants here)
    except OSError as error:
        code = _refuse(f"cannot run {command[0]}: {error.strerror}")
        return code if error.errno in HOPELESS else CANNOT_RUN


def wanted(part: str, folder: Path, environ: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command and its whole environment. ConfigError, SecretError, or CannotExecError."""
    settings = load(folder).settings
    if settings is None:
        raise CannotExecError(f"cannot run the {part}: there is no configuration in {folder}")
    if part == "engine":
        engine = settings.only_engine
        if not engine.command:
            raise CannotExecError("cannot run the engine: [[engine]] has no command")
        return engine.command, {**environ, **dict(engine.environment)}
    return settings.connector.command or CLOUDFLARED, {
        **environ,
        **_for_cloudflared(settings, folder, environ),
        **dict(settings.connector.environment),
    }


def _for_cloudflared(settings: Settings, folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    if read_secret(TUNNEL_TOKEN, folder, environ) is None:
        raise CannotExecError(f"cannot run the connector: there is no credential {TUNNEL_TOKEN}")
    host, port = settings.connector.metrics
    return {
        "TUNNEL_TOKEN_FILE": str(secret_path(TUNNEL_TOKEN, folder, environ)),
        "TUNNEL_METRICS": f"{host}:{port}",
        "NO_AUTOUPDATE": "true",
        "HOME": "/nonexistent",  # a file in a person's home would be read beside the token
    }


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return BAD_CONFIGURATION


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
