"""cloudflared as one program from its releases, held against a sha256 that was given."""

import re
from pathlib import Path

from inferagent.adapters.part_file import check_room
from inferagent.config.sources import FILE, SHA256, Cloudflared
from inferagent.ports import PortError
from inferagent.programs.install.checks import check_architecture
from inferagent.programs.install.part import Offer, Tools
from inferagent.programs.install.shelved import Shelved


class CloudflaredRelease(Shelved):
    def __init__(self, tools: Tools) -> None:
        super().__init__(tools, "cloudflared", ("cloudflared",))

    @property
    def _source(self) -> Cloudflared:
        return self.tools.sources.cloudflared

    @property
    def _file(self) -> str:
        return f"cloudflared-linux-{self.tools.host.architecture}"

    def look(self) -> Offer:
        check_architecture(self.tools.host, self.name)
        version = self._source.version
        if not version:
            cure = "name it with --version and its sha256 with --sha256, as its release page has them"
            raise PortError(
                f"cannot tell which cloudflared to fetch: no version is given → {cure}", refused=True
            )
        self._expected()
        steps = (
            f"fetch {self._file} from {self._url(version)}",
            "check it against the sha256 that was given",
            f"put it into {self.shelf.folder / version / 'bin'}",
        )
        check_room(self.shelf.folder, 0 if self.shelf.has(version) else self._source.space)
        return self.offer(version, steps)

    def fetch(self, offer: Offer) -> str:
        version = offer.version
        if self.shelf.has(version):
            return version
        with self.shelf.making(version) as folder:
            self._put(version, folder / "bin" / "cloudflared")
        self.shelf.clear()
        return version

    def _put(self, version: str, program: Path) -> None:
        kept, what = f"{self._file}-{version}", f"{self._file} {version}"
        path = self.fetched(self._url(version), kept, self._expected(), what)
        program.parent.mkdir(mode=0o755, exist_ok=True)
        path.replace(program)
        program.chmod(0o755)
        self.tried(program, version)

    def _url(self, version: str) -> str:
        return f"{self._source.releases}/download/{version}/{self._file}"

    def _expected(self) -> str:
        found = dict(self._source.sha256).get(self.tools.host.architecture, "")
        if re.fullmatch(SHA256, found) is None:
            fault = f"whose sha256 is {found!r}, not 64 hex digits" if found else "without its sha256"
            cure = f'--sha256 HEX, or sha256 = {{ {self.tools.host.architecture} = "HEX" }} in {FILE}'
            raise PortError(f"cannot trust a cloudflared {fault} → {cure}", refused=True)
        return found
