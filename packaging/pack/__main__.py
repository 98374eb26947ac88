"""`python -m pack deb|rpm|repo … [--arch ARCH …] [--out DIR]`: packages, and repositories of those in DIR."""

import argparse
import fcntl
import sys
import time
from pathlib import Path

from pack.build import LAYERS, build
from pack.keys import check
from pack.project import ARCHITECTURES, ROOT, PackError
from pack.repositories import repositories

NAMES = {usual: name for name, usual in ARCHITECTURES.items()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m pack", description=__doc__)
    parser.add_argument("what", nargs="+", choices=[*LAYERS, "repo"])
    parser.add_argument(
        "--arch",
        nargs="+",
        type=lambda name: NAMES.get(name, name),
        choices=list(ARCHITECTURES),
        default=list(ARCHITECTURES),
        help="for which processors (amd64 and arm64 are other names of the two); without: for all",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "dist",
        help="the folder that gets the packages, and in its folder repo the repositories; without: dist",
    )
    parser.add_argument("--key", type=Path, help="the secret key that signs; else a test key")
    options = parser.parse_args(arguments)
    scratch = ROOT / "build/package"
    try:
        if options.key:
            check(options.key)
        scratch.mkdir(parents=True, exist_ok=True)
        with (scratch / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two builds would take each other's files away
            _make(options, scratch)
    except PackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _make(options: argparse.Namespace, scratch: Path) -> None:
    kinds = tuple(kind for kind in LAYERS if kind in options.what)
    for architecture in dict.fromkeys(options.arch) if kinds else ():
        begun = time.monotonic()
        for path in build(kinds, architecture, options.out, scratch):
            _say(f"{path.stat().st_size / 1e6:5.2f} MB  {path}")
        _say(f"{architecture}: {time.monotonic() - begun:.0f} s")
    if "repo" in options.what:
        _say(repositories(options.out, options.key, scratch))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
