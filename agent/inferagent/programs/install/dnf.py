"""cloudflared by dnf: its repository and key, packages and index checked; versions before come from there."""

from dataclasses import dataclass, field
from pathlib import Path

from inferagent.config.sources import Cloudflared
from inferagent.ports import PortError
from inferagent.programs.install.commands import Commands
from inferagent.programs.install.host import Host
from inferagent.programs.install.keys import armoured
from inferagent.programs.install.package_files import RepositoryFiles, named_elsewhere

PACKAGE = "cloudflared"
NAME = "inferagent-cloudflared"
KEY = f"/etc/pki/rpm-gpg/RPM-GPG-KEY-{NAME}"
FOLDER = "/etc/yum.repos.d"


@dataclass
class Dnf:
    host: Host
    commands: Commands
    source: Cloudflared
    packages: float
    files: RepositoryFiles = field(default_factory=RepositoryFiles)

    def known(self) -> Path | None:
        return named_elsewhere(self.host.at(FOLDER), "*.repo", self.source.repository, self._own)

    def installed(self) -> str:
        said = self.commands.answer_or_nothing(
            ("rpm", "--query", "--queryformat", "%{VERSION}-%{RELEASE}", PACKAGE)
        )
        return said.strip()

    def add(self, packets: bytes) -> None:
        key = self.host.at(KEY)
        lines = (
            f"[{NAME}]",
            "name=cloudflared",
            f"baseurl={self.source.repository}/rpm",
            "enabled=1",
            "gpgcheck=1",
            f"repo_gpgcheck={int(self.source.index_signed)}",
            f"gpgkey=file://{key}",
        )
        self.files.write(key, armoured(packets))
        self.files.write(self._own, "\n".join([*lines, ""]).encode())

    def refresh(self) -> None:
        self._run(("dnf", "--assumeyes", "--refresh", *self._only, "makecache"))

    def newest(self) -> str:
        asked = ("repoquery", "--latest-limit=1", "--queryformat=%{version}-%{release}\n", PACKAGE)
        said = self.commands.answer(("dnf", "--quiet", *self._only, *asked), self.packages).split()
        if not said:
            raise PortError(
                f"cannot find {PACKAGE} in {self.source.repository}: is there one for this system?"
            )
        return said[-1]

    def fetch(self, version: str) -> None:
        self._run((*self._patient, "install", "--downloadonly", f"{PACKAGE}-{version}"))

    def install(self, version: str) -> None:
        """An older version than the one that is there only goes by another word."""
        self._run((*self._patient, "install", f"{PACKAGE}-{version}"), whole=True)
        if self.installed() != version:
            self._run((*self._patient, "downgrade", f"{PACKAGE}-{version}"), whole=True)
        if self.installed() != version:
            cure = "does the repository still have it?"
            raise PortError(f"cannot install {PACKAGE} {version}: dnf leaves {self.installed()} → {cure}")

    @property
    def _own(self) -> Path:
        return self.host.at(FOLDER) / f"{NAME}.repo"

    @property
    def _only(self) -> tuple[str, ...]:
        return () if self.known() else ("--disablerepo=*", f"--enablerepo={NAME}")

    @property
    def _patient(self) -> tuple[str, ...]:
        return ("dnf", "--assumeyes", "--setopt=keepcache=1")

    def _run(self, argv: tuple[str, ...], *, whole: bool = False) -> None:
        self.commands.run(argv, self.packages, whole=whole)
