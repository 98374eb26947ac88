"""Runs in a host that has a kernel of its own: does what the suites ask, by TCP; standard library only.

One JSON line in, one JSON line out, in one connection each. Forks are slow there, so only commands
begin a process. `python3 guest.py ADDRESS PORT` listens.
"""

import http.client
import json
import socket
import socketserver
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
}
Said = dict[str, Any]


def run(argv: list[str], stdin: str, seconds: float) -> Said:
    """`code`: 127 where it cannot be started, as of a shell."""
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, env=CLEAN, check=False, timeout=seconds
        )
    except OSError as error:
        return {"code": 127, "out": "", "error": str(error)}
    except subprocess.TimeoutExpired as error:
        return {"code": 124, "out": "", "error": str(error)}
    return {"code": done.returncode, "out": done.stdout, "error": done.stderr}


def write(path: str, text: str, mode: int) -> Said:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with file.open(
        "x"
    ) as new:  # a file that is cut short and written again would be synced when it is closed
        file.chmod(mode)
        new.write(text)
    return {}


def read(path: str) -> Said:
    """`text`: None where there is no such file."""
    try:
        return {"text": Path(path).read_text(errors="replace")}
    except FileNotFoundError:
        return {"text": None}


def listed(path: str) -> Said:
    return {"names": sorted(file.name for file in Path(path).iterdir()) if Path(path).is_dir() else []}


def get(path: str, at: str | int) -> Said:
    """`at`: a port of the loopback, or a socket's file. `status`: 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", at if isinstance(at, int) else 80, timeout=5.0)
    try:
        if isinstance(at, str):
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(5.0)
            connection.sock.connect(at)
        connection.request("GET", path)
        answer = connection.getresponse()
        return {"status": answer.status, "body": answer.read().decode(errors="replace")}
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "body": str(error)}
    finally:
        connection.close()


DEEDS: dict[str, Callable[..., Said]] = {
    "run": run,
    "write": write,
    "read": read,
    "listed": listed,
    "get": get,
}


def do(line: bytes) -> Said:
    """The answer to one request: {"do": a name of DEEDS, and what it takes}."""
    asked = json.loads(line)
    try:
        return DEEDS[asked.pop("do")](**asked)
    except OSError as error:
        return {"failed": str(error)}


class Listener(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(json.dumps(do(self.rfile.readline())).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Listener).serve_forever()
