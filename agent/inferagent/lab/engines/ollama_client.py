"""The commands of the Ollama stand-in that ask a running server: list, ps, pull, create, cp, rm, stop."""

import argparse
import hashlib
import json
import os
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from inferagent.lab.engines.ollama_env import address


class AskError(Exception):
    """The server cannot be reached, or it refuses."""


def ask(method: str, path: str, body: Any = None) -> list[dict[str, Any]]:
    """The lines of JSON that the server at OLLAMA_HOST answers. AskError."""
    host, port = address(os.environ.get("OLLAMA_HOST", ""))
    raw = body if isinstance(body, bytes) else json.dumps(body)
    connection = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port)  # noqa: S104 (no binding)
    try:
        connection.request(method, path, raw)
        response = connection.getresponse()
        lines = [json.loads(line) for line in response.read().splitlines() if line.strip()]
    except (OSError, HTTPException, ValueError) as error:
        raise AskError(f"cannot reach the server at {host}:{port}: {error}") from error
    finally:
        connection.close()
    for line in lines:
        if "error" in line:
            raise AskError(str(line["error"]))
    if response.status >= 400:
        raise AskError(f"cannot {method} {path}: status {response.status}")
    return lines


def table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("    ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show(path: str, last: str) -> None:
    models = ask("GET", path)[0]["models"]
    rows = [(m["name"], m["digest"][:12], f"{m['size']} B", str(m[last])) for m in models]
    table([("NAME", "ID", "SIZE", last.removesuffix("_at").upper()), *rows])


def tell(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        print(line.get("status", ""))


def create(name: str, modelfile: Path) -> None:
    """FROM a file that is there (its bytes are sent), or from a model that the server has."""
    lines = [line.split(None, 1) for line in modelfile.read_text().splitlines()]
    origins = [line[1].strip() for line in lines if len(line) == 2 and line[0].upper() == "FROM"]
    if not origins:
        raise AskError("cannot find a FROM line in the Modelfile")
    weights = modelfile.parent / origins[0]
    if weights.is_file():
        content = weights.read_bytes()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        ask("POST", f"/api/blobs/{digest}", content)
        tell(ask("POST", "/api/create", {"model": name, "files": {weights.name: digest}}))
    else:
        tell(ask("POST", "/api/create", {"model": name, "from": origins[0]}))


def run(known: argparse.Namespace) -> None:
    match known.command:
        case "list" | "ls":
            show("/api/tags", "modified_at")
        case "ps":
            show("/api/ps", "expires_at")
        case "pull":
            tell(ask("POST", "/api/pull", {"model": known.model}))
        case "create":
            create(known.model, known.file)
        case "cp":
            ask("POST", "/api/copy", {"source": known.source, "destination": known.destination})
        case "rm":
            ask("DELETE", "/api/delete", {"model": known.model})
        case "stop":
            ask("POST", "/api/generate", {"model": known.model, "keep_alive": 0})


def command(known: argparse.Namespace) -> int:
    """The exit code of one command."""
    try:
        run(known)
    except (AskError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0
