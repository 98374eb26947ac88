"""The host that is installed on: its root, architecture and programs; a test has one of its own."""

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Host:
    """`path`: where programs are looked for. `machine` as uname says it. `flush`: all onto the disk."""

    root: Path = Path("/")
    machine: str = field(default_factory=platform.machine)
    uid: int = field(default_factory=os.geteuid)
    path: str = field(default_factory=lambda: os.environ.get("PATH", os.defpath))
    flush: Callable[[], None] = os.sync

    def at(self, path: str) -> Path:
        """Where an absolute path is on this host."""
        return self.root / path.lstrip("/")

    @property
    def parts(self) -> Path:
        """Where all parts are that this program installs."""
        return self.at("/opt/inferagent")

    @property
    def links(self) -> Path:
        """Where shells and units find programs by name."""
        return self.at("/usr/local/bin")

    @property
    def architecture(self) -> str:
        """As releases name it; "" for one that there are no releases for."""
        return ARCHITECTURES.get(self.machine, "")

    def program(self, name: str) -> str | None:
        return shutil.which(name, path=self.path)
