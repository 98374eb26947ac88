"""The disk of a host as each package brings it: laid out file by file, with fixed modes and times."""

import gzip
import os
import shutil
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from runpy import run_path

from inferagent.config import sources
from inferagent.config.fragments import shipped_text
from pack import legal
from pack.project import PACKAGING, RELEASE, ROOT, epoch, maintainer, version

LIBRARY = Path("usr/lib/inferagent/lib")
SHARE = Path("usr/share/inferagent")
BILL = SHARE / "sbom.cdx.json"
DOC = Path("usr/share/doc/inferagent")
# The demo needs what the lab needs, which is more than the whole package: it is for clones of the project.
NOT_SHIPPED = ("__pycache__", "lab")
SUFFIXES = {".sysusers": "sysusers.d", ".tmpfiles": "tmpfiles.d"}
COMPLETION = {
    "inferagent.bash": "usr/share/bash-completion/completions/inferagent",
    "inferagent.fish": "usr/share/fish/vendor_completions.d/inferagent.fish",
}
ZSH = {
    "deb": "usr/share/zsh/vendor-completions/_inferagent",
    "rpm": "usr/share/zsh/site-functions/_inferagent",
}
CONFIG_HEAD = """\
# All keys of inferagent with their defaults. This file is not read: write what differs into
# /etc/inferagent/config.toml, or into a file of your own in /etc/inferagent/conf.d/.
"""
INSTALL_HEAD = """\
# Where `inferagent install` gets each part: all keys with their defaults. This file is not read: write what
# differs into /etc/inferagent/install.toml.
# URLs are https://; http:// is taken only on this host itself, or where a signature proves what comes.

"""
LINTIAN = """\
# The vendored Python packages come as their authors built them.
inferagent: embedded-library *
inferagent: hardening-no-fortify-functions *
inferagent: unstripped-binary-or-object *
# The one restart that nobody may wait for; its policy is that of the restarts beside it.
inferagent: maintainer-script-calls-systemctl *
"""


def lay(disk: Path) -> None:
    """What both packages share; the vendored packages are there already, with their dist-info folders."""
    shutil.copytree(PACKAGING / "root", disk, dirs_exist_ok=True)
    library = disk / LIBRARY
    found = legal.parts(library)
    share = disk / SHARE
    share.mkdir(parents=True, exist_ok=True)
    (share / "config.toml").write_text(commented(shipped_text()))
    (share / sources.FILE).write_text(commented(sources.shipped_sources(), INSTALL_HEAD))
    shutil.copy(PACKAGING / "prometheus/inferagent.rules.yml", share)
    legal.lay_licences(found, disk / "usr/share/licenses/inferagent")
    doc = disk / DOC
    doc.mkdir(parents=True)
    (doc / "copyright").write_text(legal.copyright_file(found))
    shutil.copy(ROOT / "README.md", doc)
    for info in library.glob("*.dist-info"):
        shutil.rmtree(info)
    shutil.copytree(
        ROOT / "agent/inferagent", library / "inferagent", ignore=shutil.ignore_patterns(*NOT_SHIPPED)
    )
    _units(disk)
    _pages(disk)
    for name, place in COMPLETION.items():
        _copy(PACKAGING / "completion" / name, disk / place)


def commented(text: str, head: str = CONFIG_HEAD) -> str:
    """Every key and table switched off; sentences stay sentences."""
    lines = text.splitlines()[4:]  # what the file says of itself
    switched = [f"#{line}" if line and not line.startswith("#") else line for line in lines]
    return head + "\n".join(switched) + "\n"


def _units(disk: Path) -> None:
    for file in sorted((ROOT / "systemd").iterdir()):
        folder = SUFFIXES.get(file.suffix)
        _copy(
            file,
            disk
            / (f"usr/lib/{folder}/{file.stem}.conf" if folder else f"usr/lib/systemd/system/{file.name}"),
        )


def _pages(disk: Path) -> None:
    made = run_path(str(PACKAGING / "manual.py"))["pages"](datetime.fromtimestamp(epoch(), UTC))
    for name, text in made.items():
        _squeezed(disk / f"usr/share/man/man{name[-1]}/{name}.gz", text)


def for_deb(shared: Path, disk: Path) -> None:
    shutil.copytree(shared, disk)
    shutil.rmtree(disk / "usr/share/licenses")  # the copyright file holds them all
    shutil.rmtree(disk / "usr/lib/systemd/system-preset")  # Debian enables in its own way
    _copy(PACKAGING / "completion/_inferagent", disk / ZSH["deb"])
    _squeezed(disk / DOC / "changelog.Debian.gz", debian_changelog())
    _squeezed(disk / DOC / "changelog.gz", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    overrides = disk / "usr/share/lintian/overrides/inferagent"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(LINTIAN)


def for_rpm(shared: Path, disk: Path) -> None:
    """What rpm marks as documentation stands apart, in the folder docs beside it."""
    shutil.copytree(shared, disk)
    (disk / DOC / "copyright").unlink()
    _copy(PACKAGING / "completion/_inferagent", disk / ZSH["rpm"])
    _copy(ROOT / "CHANGELOG.md", disk / DOC / "CHANGELOG.md")
    for name in ("man", "doc", "licenses"):
        apart = disk.with_name("docs") / "usr/share" / name
        apart.parent.mkdir(parents=True, exist_ok=True)
        (disk / "usr/share" / name).rename(apart)
    settle(disk.with_name("docs"))


def debian_changelog() -> str:
    date = format_datetime(datetime.fromtimestamp(epoch(), UTC))
    head = f"inferagent ({version()}-{RELEASE}) stable; urgency=medium"
    return (
        f"{head}\n\n  * Release {version()}; changelog.gz tells what changed.\n\n -- {maintainer()}  {date}\n"
    )


def settle(disk: Path) -> None:
    """Modes and times that depend on nothing of the machine that builds."""
    moment = epoch()
    for path in [disk, *sorted(disk.rglob("*"))]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or _runs(path) else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)


def _runs(path: Path) -> bool:
    """What begins like a program is one, but for the vendored modules."""
    with path.open("rb") as file:
        return file.read(2) == b"#!" and str(LIBRARY) not in str(path)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _squeezed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
