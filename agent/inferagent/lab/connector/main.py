"""The command line's way in. What runs a tunnel is imported only when a tunnel is to be run."""

import asyncio
import http.client
import os
import sys

from inferagent.lab.connector.options import VERSION, EarlyExitError, read_options


def main(arguments: list[str]) -> int:
    """Exit code: 0 also for a flag that is not known, 255 a bad token, 1 what else stops a start."""
    try:
        options = read_options(arguments, os.environ)
        if options.command == "version":
            print(VERSION if options.short else f"cloudflared version {VERSION} (inferagent lab stand-in)")
            return 0
        if options.command == "ready":
            return _ask_ready(options.metrics)
        from inferagent.lab.connector.program import run

        return asyncio.run(run(options))
    except EarlyExitError as stop:
        print(stop.text, file=sys.stderr)
        return stop.code


def _ask_ready(address: str) -> int:
    host, _, port = address.rpartition(":")
    asked = http.client.HTTPConnection(host or "127.0.0.1", int(port or 20241), timeout=5)
    try:
        asked.request("GET", "/ready")
        return 0 if asked.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        asked.close()
