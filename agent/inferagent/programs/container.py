"""The main process of inferagent-container@NAME.service: it lives as long as the container, and ends as it.

`container NAME [--unit UNIT] [--stop SECONDS] [--config DIR]`. It starts the container, or follows the life
that it finds; SIGTERM stops it, unless it was told to let go. Docker's own restarts are switched off.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from inferagent.adapters.docker.container import NAME
from inferagent.adapters.docker.daemon import Docker
from inferagent.adapters.docker.wire import SOCKET
from inferagent.config.containers import unit_for
from inferagent.programs.container_follow import HOPELESS, Follower
from inferagent.programs.container_outside import Places

CONFIG = Path("/etc/inferagent")
PREPARED = "--prepared"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="inferagent-container", description="Follows a container.")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--unit", default="", help="the unit that this is the main process of")
    parser.add_argument(
        "--stop", type=float, default=50.0, metavar="SECONDS", help="for the container to end"
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="the configuration folder")
    parser.add_argument(PREPARED, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if not NAME.fullmatch(options.name):
        return _refuse(f"cannot follow {options.name!r}: that is no name of a container")
    try:
        docker = Docker(socket_of(os.environ))
    except ValueError as error:
        return _refuse(str(error))
    if not options.prepared and _may_describe(options.config):
        from inferagent.programs.container_make import prepare

        if code := asyncio.run(prepare(docker, options.name, options.config)):
            return code
        # What it took to read the configuration is not carried for the length of a life.
        os.execv(sys.executable, [*sys.orig_argv, PREPARED])  # noqa: S606
    places = Places(Path(os.environ.get("RUNTIME_DIRECTORY", "/nonexistent")))
    follower = Follower(docker, options.name, options.unit or unit_for(options.name), options.stop, places)
    return asyncio.run(_until_told(follower))


def _may_describe(folder: Path) -> bool:
    """Whether the configuration may speak of an image: reading it whole costs half a second of an outage."""
    files = (folder / "config.toml", *folder.glob("conf.d/*.toml"))
    return any(file.is_file() and b"image" in file.read_bytes() for file in files)


async def _until_told(follower: Follower) -> int:
    told = asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, told.set)
    return await follower.run(told)


def socket_of(environ: Mapping[str, str]) -> Path:
    """DOCKER_HOST as docker's own client reads it; ValueError for one that is not on this host."""
    host = environ.get("DOCKER_HOST", "")
    if host and not host.startswith("unix:///"):
        raise ValueError("cannot follow a container at DOCKER_HOST: only a daemon of this host (unix:///…)")
    return Path(host.removeprefix("unix://")) if host else SOCKET


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return HOPELESS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
