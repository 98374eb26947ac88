"""A stand-in for Ollama: `python -m inferagent.lab.engines.ollama serve|list|ps|pull|create|cp|rm|stop`.

One server and one runner for each loaded model are separate processes. SIGTERM ends the server at
once and cuts every stream; a killed server leaves its runners behind.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from inferagent.lab.engines.ollama_client import command


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ollama")
    parser.add_argument("-v", "--version", action="store_true")
    commands = parser.add_subparsers(dest="command")
    for plain in ("serve", "list", "ls", "ps"):
        commands.add_parser(plain)
    for one in ("pull", "rm", "stop"):
        commands.add_parser(one).add_argument("model")
    create = commands.add_parser("create")
    create.add_argument("model")
    create.add_argument("-f", "--file", type=Path, default=Path("Modelfile"))
    copy = commands.add_parser("cp")
    copy.add_argument("source")
    copy.add_argument("destination")
    known = parser.parse_args(arguments)
    if not known.version and not known.command:
        parser.error("cannot do nothing: name a command")
    return known


async def serve() -> int:
    """Until SIGTERM or SIGINT; 1 when the port is taken."""
    # Imported here: the other commands need no server, and start in a third of the time.
    from aiohttp import web

    from inferagent.lab.engines import ollama_env
    from inferagent.lab.engines.loader import Loader
    from inferagent.lab.engines.models import Models
    from inferagent.lab.engines.ollama_app import Server

    environment = ollama_env.read()
    models = Models(environment.models)
    for name in environment.present:
        models.make_up(name)
    async with asyncio.TaskGroup() as group:
        loader = Loader(environment, group)
        app = Server(environment, models, loader).app()
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, environment.host, environment.port).start()
        except OSError as error:
            print(
                f"Error: listen tcp {environment.host}:{environment.port}: {error.strerror}", file=sys.stderr
            )
            return 1

        def end() -> None:
            loader.kill()
            os._exit(0)  # streams are cut, as the real one cuts them

        for which in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(which, end)
        await asyncio.Event().wait()
    return 0


def main() -> None:
    known = parse(sys.argv[1:])
    if known.version:
        from inferagent.lab.engines.ollama_bodies import VERSION

        print(f"ollama version is {VERSION}")
        sys.exit(0)
    if known.command != "serve":
        sys.exit(command(known))
    Path("/proc/self/comm").write_text("ollama")
    sys.exit(asyncio.run(serve()))


if __name__ == "__main__":
    main()
