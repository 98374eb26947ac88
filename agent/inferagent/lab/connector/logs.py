"""Log lines on stderr, one each: JSON with TUNNEL_LOG_OUTPUT=json, plain text otherwise."""

import json
import sys
import time
from typing import TextIO

PLAIN = {"debug": "DBG", "info": "INF", "warn": "WRN", "error": "ERR"}


class Log:
    def __init__(self, *, as_json: bool, out: TextIO | None = None) -> None:
        self._json, self._out = as_json, out or sys.stderr

    def info(self, message: str, **facts: object) -> None:
        self._write("info", message, facts)

    def warn(self, message: str, **facts: object) -> None:
        self._write("warn", message, facts)

    def error(self, message: str, **facts: object) -> None:
        self._write("error", message, facts)

    def _write(self, level: str, message: str, facts: dict[str, object]) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if self._json:
            line = json.dumps({**facts, "level": level, "message": message, "time": now}, sort_keys=True)
        else:
            more = "".join(f" {name}={value}" for name, value in sorted(facts.items()))
            line = f"{now} {PLAIN[level]} {message}{more}"
        print(line, file=self._out, flush=True)
