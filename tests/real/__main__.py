"""`python -m tests.real [--only NAME] [--get | --env]`: the contract suites with the real programs.

Gets what is not there, says what it has, runs the suites on stand-ins and real programs, and names in its
last line what ran for real and what did not. Exit code 0 when everything that could be had has passed.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real.get_all import Had, get_all
from tests.real.programs import CACHE, KINDS, environment, version
from tests.real.report import Ran, last_line, read, verdict

ROOT = Path(__file__).parents[2]
SUITES = (
    "tests/contract/test_engines.py",
    "tests/contract/test_openai.py",
    "tests/contract/test_connector.py",
    "tests/integration/test_engine_adapters.py",
    "tests/integration/test_connector_adapter.py",
)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.cache:
        os.environ[CACHE] = str(options.cache.absolute())
    only = tuple(options.only or KINDS)
    try:
        exports = environment(only)
    except ValueError as error:
        say(str(error))
        return 2
    if options.env:
        for name, value in exports.items():
            print_line(f"export {name}={shlex.quote(value)}")
        return 0
    had = get_all(only, say)
    versions = {one.kind.name: version(one.program) for one in had if one.program}
    for one in had:
        say(described(one, versions))
    reasons = {one.kind.name: one.reason for one in had if not one.program}
    if options.get:
        print_line(last_line_of_get(versions, reasons))
        return 0
    ran, code = run(tuple(versions), options.more)
    print_line(last_line(versions, reasons, ran))
    return verdict(versions, ran, code)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.real", description=__doc__)
    parser.add_argument("--only", action="append", choices=KINDS, help="this program; may be repeated")
    parser.add_argument("--get", action="store_true", help="only get them")
    parser.add_argument("--env", action="store_true", help="only print what names them, for a shell")
    parser.add_argument("--cache", type=Path, metavar="DIR", help=f"instead of {CACHE}")
    parser.add_argument("more", nargs="*", help="for pytest, after --")
    return parser.parse_args(arguments)


def described(one: Had, versions: dict[str, str]) -> str:
    if one.program is None:
        return f"SKIPPED {one.kind.title}: {one.reason}"
    return f"{one.kind.title} {versions[one.kind.name]}, {one.program.origin}: {one.program.path}"


def last_line_of_get(versions: dict[str, str], reasons: dict[str, str]) -> str:
    there = ", ".join(f"{KINDS[name].title} {found}" for name, found in versions.items())
    missing = ", ".join(f"{KINDS[name].title} ({why})" for name, why in reasons.items())
    said = f"there: {there or 'nothing'}; skipped {len(reasons)}"
    return f"{said}: {missing}" if missing else said


def run(only: tuple[str, ...], more: list[str]) -> tuple[Ran, int]:
    """The suites, with these real programs and no other."""
    hidden = {kind.variable for name, kind in KINDS.items() if name not in only}
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    with tempfile.TemporaryDirectory(prefix="inferagent-real-") as folder:
        record = Path(folder) / "record.xml"
        argv = [sys.executable, "-m", "pytest", "-q", "-rs", f"--junitxml={record}", *more, *SUITES]
        done = subprocess.run(argv, cwd=ROOT, env={**variables, **environment(only)}, check=False)
        ran = read(record) if record.exists() else Ran()
    return ran, done.returncode


def say(text: str) -> None:
    """Progress, beside the last line."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
