"""`python -m pack.lints [DIR]`: lintian, rpmlint and piuparts on the packages of DIR (dist).

What is not installed is skipped, and named. Exit code 1 when one found something.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pack.project import ARCHITECTURES, PACKAGING, ROOT

# What only a package in Debian's own archive would heed: the publisher's address is given by PACK_MAINTAINER.
NOT_OURS = "bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs"
SUITE = "bookworm"
# Made by the package systemd, which comes with ours and leaves them.
SYSTEMD = ("/[r]oot/.ssh", "/var/(cache|lib|log)/private", "/var/lib/systemd/(coredump|pstore)")
TAIL = 60  # lines of a complaint


def commands(folder: Path) -> dict[str, list[str]]:
    """Tool → command line, on what there is."""
    debs, rpms = (sorted(str(path) for path in folder.glob(f"*.{kind}")) for kind in ("deb", "rpm"))
    here = [deb for deb in debs if deb.endswith(f"_{ARCHITECTURES[platform.machine()]}.deb")]
    ignored = [f"--ignore-regex=^{path}" for path in SYSTEMD]
    found: dict[str, list[str]] = {}
    if debs:
        found["lintian"] = ["--fail-on", "error,warning", "--suppress-tags", NOT_OURS, *debs]
    if rpms:
        found["rpmlint"] = ["--strict", "--config", str(PACKAGING / "rpmlint.toml"), *rpms]
    if here:
        found["piuparts"] = ["--distribution", SUITE, "--no-eatmydata", *ignored, *here[-1:]]
    return found


def check(tool: str, arguments: Sequence[str], root: bool) -> str:
    """passed, FAILED, or why it was skipped."""
    path = shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        return f"SKIPPED: sudo apt-get install --no-install-recommends {tool}"
    if tool == "piuparts" and not root:
        return "SKIPPED: only root can run it"
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stdout.write("\n".join((done.stdout + done.stderr).splitlines()[-TAIL:]) + "\n")
        return "FAILED"
    return "passed"


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "dist"
    found = commands(folder)
    if not found:
        sys.stderr.write(f"cannot lint without packages in {folder}: make deb rpm\n")
        return 1
    ends = {tool: check(tool, words, os.geteuid() == 0) for tool, words in found.items()}
    for tool, end in ends.items():
        sys.stdout.write(f"{tool:9} {end}\n")
    return int("FAILED" in ends.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
