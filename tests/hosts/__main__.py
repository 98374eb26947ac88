"""`python -m tests.hosts [NAME …] [--full]`: the host suites, each in a process of its own.

NAME is a file suite_NAME.py here; --full: as long as the bars ask for. Exit code 1 when one failed, 77 when
all were skipped.
"""

import argparse
import importlib
import os
import subprocess
import sys
from pathlib import Path

from tests.hosts.suite import SKIPPED, outcome

WORDS = {0: "passed", SKIPPED: "SKIPPED"}


def names() -> list[str]:
    return sorted(file.stem.removeprefix("suite_") for file in Path(__file__).parent.glob("suite_*.py"))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    parser.add_argument("--full", action="store_true", help="as long as the bars ask for")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(names()):
        parser.error(f"no suite {', '.join(sorted(unknown))}")
    if options.full:
        os.environ["HOSTS_FULL"] = "1"
    if len(options.names) == 1:
        return outcome(importlib.import_module(f"tests.hosts.suite_{options.names[0]}").suite)
    return summary({name: apart(name) for name in options.names or names()})


def apart(name: str) -> int:
    """In a process of its own: a suite that breaks off leaves nothing to the next."""
    sys.stdout.write(f"== {name}\n")
    sys.stdout.flush()
    return subprocess.run([sys.executable, "-m", "tests.hosts", name], check=False).returncode


def summary(codes: dict[str, int]) -> int:
    for name, code in codes.items():
        sys.stdout.write(f"{WORDS.get(code, 'FAILED'):8} {name}\n")
    if any(code not in WORDS for code in codes.values()):
        return 1
    return SKIPPED if codes and set(codes.values()) == {SKIPPED} else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
