"""cloudflared by apt: its repository and key; each package is fetched before it replaces one, and kept."""

from dataclasses import dataclass, field
from pathlib import Path

from inferagent.config.sources import Cloudflared
from inferagent.ports import PortError
from inferagent.programs.install.commands import Commands
from inferagent.programs.install.host import Host
from inferagent.programs.install.package_files import RepositoryFiles, named_elsewhere

PACKAGE = "cloudflared"
KEYRING = "/usr/share/keyrings/inferagent-cloudflared.gpg"
SOURCES = "/etc/apt/sources.list.d"
OWN = "inferagent-cloudflared.sources"
PATIENT = ("-o", "DPkg::Lock::Timeout=120")


@dataclass
class Apt:
    """`folder` keeps the packages that it installs. `packages`: seconds for each run of it."""

    host: Host
    commands: Commands
    source: Cloudflared
    folder: Path
    packages: float
    files: RepositoryFiles = field(default_factory=RepositoryFiles)

    def known(self) -> Path | None:
        """Somebody else's file that names the repository."""
        return named_elsewhere(self.host.at(SOURCES), "*", self.source.repository, self._own)

    def installed(self) -> str:
        asked = ("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", PACKAGE)
        state, _, version = self.commands.answer_or_nothing(asked).strip().partition(" ")
        return version if state == "installed" else ""

    def add(self, packets: bytes) -> None:
        """The key stands for this repository alone."""
        keyring = self.host.at(KEYRING)
        lines = (
            "Types: deb",
            f"URIs: {self.source.repository}",
            f"Suites: {self.source.suite}",
            f"Components: {self.source.component}",
            f"Signed-By: {keyring}",
        )
        self.files.write(keyring, packets)
        self.files.write(self._own, "\n".join([*lines, ""]).encode())

    def refresh(self) -> None:
        """Only this repository is asked anew; a signature that does not fit is an error."""
        own = self.known() or self._own
        only = ("-o", f"Dir::Etc::sourcelist={own}", "-o", "Dir::Etc::sourceparts=-")
        strict = ("-o", "APT::Get::List-Cleanup=0", "-o", "APT::Update::Error-Mode=any")
        self._run(("apt-get", "update", *PATIENT, *only, *strict))

    def newest(self) -> str:
        said = self.commands.answer(("apt-cache", "policy", PACKAGE))
        found = next((line.split()[1] for line in said.splitlines() if line.startswith("  Candidate: ")), "")
        if found in ("", "(none)"):
            raise PortError(
                f"cannot find {PACKAGE} in {self.source.repository}: is there one for this system?"
            )
        return found

    def fetch(self, version: str) -> None:
        """Into the folder, verified by apt."""
        (self.folder / "partial").mkdir(mode=0o755, parents=True, exist_ok=True)
        self._run((*self._installing, "--download-only", f"{PACKAGE}={version}"))

    def install(self, version: str) -> None:
        """From the folder, where fetch has left it or an earlier run."""
        kept = self._kept(version)
        self._run(
            (*self._installing, "--allow-downgrades", str(kept) if kept else f"{PACKAGE}={version}"),
            whole=True,
        )

    @property
    def _own(self) -> Path:
        return self.host.at(SOURCES) / OWN

    @property
    def _installing(self) -> tuple[str, ...]:
        here = ("-o", f"Dir::Cache::archives={self.folder}", "-o", "APT::Keep-Downloaded-Packages=true")
        return ("apt-get", "install", "--yes", "--no-install-recommends", *PATIENT, *here)

    def _kept(self, version: str) -> Path | None:
        """Names on disk spell a colon as %3a."""
        found = sorted(self.folder.glob(f"{PACKAGE}_{version.replace(':', '%3a')}_*.deb"))
        return found[0] if found else None

    def _run(self, argv: tuple[str, ...], *, whole: bool = False) -> None:
        # Else needrestart may restart what serves, such as the engine, for libraries of some earlier upgrade.
        quiet = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
        self.commands.run(argv, self.packages, quiet, whole=whole)
