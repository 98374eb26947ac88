"""A host below a folder on which parts are installed: programs that write down their calls, orders, words."""

import io
import json
import os
import stat
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferagent.adapters.download import Downloads
from inferagent.config.sources import Sources, read_sources
from inferagent.programs.install.host import Host
from inferagent.programs.install.part import Tools
from inferagent.programs.install.progress import Progress
from inferagent.programs.install.running import Order, World, run

PATIENCE: dict[str, str | int] = {
    "connect": "5s",
    "silence": "5s",
    "tries": 3,
    "pause": "10ms",
    "download": "10s",
    "packages": "5s",
    "venv": "5s",
    "image": "5s",
    "program": "5s",
    "leave": "3s",
    "return": "3s",
}
CALLED = r"""#!/bin/sh
here="${0%/*}"
{ printf '%s\037' "${0##*/}" "$@"; echo; } >> "$here/calls"
for last; do :; done
"""


@dataclass
class InstallHost:
    """`folder` is empty. `words`: all lines that were said."""

    folder: Path
    machine: str = "x86_64"
    uid: int = 0
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path in (self.bin, self.config):
            path.mkdir(parents=True)
        self.sources("")

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def config(self) -> Path:
        return self.folder / "root" / "etc" / "inferagent"

    @property
    def parts(self) -> Path:
        return self.host.parts

    @property
    def host(self) -> Host:
        return Host(self.folder / "root", self.machine, self.uid, str(self.bin), lambda: None)

    def sources(self, text: str, **patience: str) -> None:
        """install.toml; a patience that is not given is a short one."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in {**PATIENCE, **patience}.items()]
        (self.config / "install.toml").write_text("\n".join(["[patience]", *lines, text, ""]))

    def program(self, name: str, body: str = "") -> Path:
        """A shell script that writes down its call, then does `body` ($here: its folder, $last word)."""
        path = self.bin / name
        path.write_text(f"{CALLED}{body}")
        path.chmod(0o755)
        return path

    def borrow(self, name: str) -> None:
        """The real one."""
        found = next(
            Path(part) / name for part in os.environ["PATH"].split(":") if (Path(part) / name).exists()
        )
        (self.bin / name).symlink_to(found)

    def calls(self, name: str = "") -> list[list[str]]:
        path = self.bin / "calls"
        lines = path.read_text().split("\n") if path.exists() else []
        found = [line.split("\x1f")[:-1] for line in lines if line]
        return [call for call in found if not name or call[0] == name]

    def read(self, given: Mapping[str, object] | None = None) -> Sources:
        return read_sources(self.config, given)

    def tools(self, given: Mapping[str, object] | None = None) -> Tools:
        sources = self.read(given)
        return Tools(self.host, sources, Progress(self.words.append), Downloads(sources.patience))

    def install(self, name: str, given: Mapping[str, object] | None = None, **more: Any) -> int:
        """The exit code; what was said before is forgotten."""
        self.words.clear()
        units = more.pop("units", None)
        confirm: Callable[[], bool] = more.pop("confirm", lambda: True)
        order = Order(name, self.config, {name: given} if given else {}, **more)
        world = World(Progress(self.words.append), confirm, self.host)
        return run(order, World(world.progress, confirm, self.host, units) if units else world)

    @property
    def said(self) -> str:
        return "\n".join(self.words)


def says(version: str) -> bytes:
    """A program that tells its version and nothing else."""
    return f"#!/bin/sh\necho this is version {version}\n".encode()


def packed(files: Mapping[str, bytes | tarfile.TarInfo], kind: str = "gz") -> bytes:
    """A tar archive; a TarInfo stands for itself, without content."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode=f"w:{kind}") as tar:
        for name, content in files.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size, info.mode = len(content), stat.S_IRWXU
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return found.getvalue()
