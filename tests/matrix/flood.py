"""A flood of connections on a unix socket: `flood.py PATH [--held 300]`, until it is ended.

Each sends half a request and stays until it is the oldest of too many. Once a second a line says how many
there have been.
"""

import argparse
import socket
import time
from collections import deque
from contextlib import suppress

HALF = b"GET /v1/status HTTP/1.1\r\nHost: agent\r\n"
PAUSE = 0.001


def main() -> None:
    parser = argparse.ArgumentParser(prog="flood", description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--held", type=int, default=300, help="connections open at once")
    chosen = parser.parse_args()
    flood(chosen.path, chosen.held)


def flood(path: str, held: int) -> None:
    made, told, there = 0, 0.0, deque[socket.socket]()
    while True:
        connected = knock(path)
        if connected is not None:
            made += 1
            there.append(connected)
        while len(there) > held:
            there.popleft().close()
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            print(made, flush=True)  # noqa: T201
        time.sleep(PAUSE)


def knock(path: str) -> socket.socket | None:
    """A connection with half a request in it, None where nobody listens or the queue is full."""
    caller = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        caller.connect(path)
    except OSError:
        caller.close()
        return None
    with suppress(OSError):  # taken and hung up already
        caller.send(HALF)
    return caller


if __name__ == "__main__":
    main()
