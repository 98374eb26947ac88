"""Ollama from its releases: archives for this architecture, held against the release's own checksums."""

from pathlib import Path

from inferagent.adapters.part_file import check_room, in_words
from inferagent.config.sources import Ollama
from inferagent.ports import PortError
from inferagent.programs.install.archive import ZSTD, unpack
from inferagent.programs.install.checks import check_architecture
from inferagent.programs.install.part import Offer, Tools
from inferagent.programs.install.shelved import Shelved
from inferagent.programs.install.sums import listed

KINDS = (".tar.zst", ".tgz")  # releases since 0.14, and those before
ENDLESS, AT_LEAST = 10, 1_000_000_000  # times what it should be unpacked; bytes


class OllamaInstaller(Shelved):
    """`switch` and `back` are those of every shelf."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools, "ollama", ("ollama",))

    @property
    def _source(self) -> Ollama:
        return self.tools.sources.ollama

    def look(self) -> Offer:
        check_architecture(self.tools.host, self.name)
        version = self._version()
        if self.shelf.has(version):
            return self.offer(version, ())
        wanted = self._wanted(version)
        size = sum(self.tools.downloads.size(self._url(version, name)) for name in wanted)
        check_room(self.shelf.folder, int(size * (1 + self._source.unpacked)))
        names = " and ".join(wanted)
        steps = (
            f"fetch {names} ({in_words(size)}) from {self._source.releases}",
            f"check it against {self._source.sums} of that release",
            f"unpack it into {self.shelf.folder / version}",
        )
        return self.offer(version, steps)

    def fetch(self, offer: Offer) -> str:
        version = offer.version
        if self.shelf.has(version):
            return version
        with self.shelf.making(version) as folder:
            for name, expected in self._wanted(version).items():
                self._unpacked(version, name, expected, folder)
            self.tried(folder / "bin" / "ollama", version)
        self.shelf.clear()
        return version

    def _unpacked(self, version: str, name: str, expected: str, folder: Path) -> None:
        tools = self.tools
        path = self.fetched(self._url(version, name), f"{version}-{name}", expected, name)
        tools.progress.step(f"unpacking {name}")
        size = path.stat().st_size
        check_room(folder, int(size * self._source.unpacked))
        most = max(AT_LEAST, int(size * self._source.unpacked * ENDLESS))
        unpack(path, folder, tools.commands, most=most, deadline=tools.sources.patience.packages)

    def _version(self) -> str:
        if self._source.version:
            return self._source.version.removeprefix("v")
        return self.tools.downloads.newest(f"{self._source.releases}/latest").removeprefix("v")

    def _url(self, version: str, name: str) -> str:
        return f"{self._source.releases}/download/v{version}/{name}"

    def _wanted(self, version: str) -> dict[str, str]:
        """Archive → sha256."""
        sums = listed(
            self.tools.downloads.small(self._url(version, self._source.sums)).decode("utf-8", "replace")
        )
        stem = f"ollama-linux-{self.tools.host.architecture}"
        found = {}
        for stem_of_one in (stem, *(f"{stem}-{extra}" for extra in self._source.extras)):
            name = self._archive(sums, stem_of_one, version)
            found[name] = sums[name]
        return found

    def _archive(self, sums: dict[str, str], stem: str, version: str) -> str:
        """The first kind that there is, and that this host can unpack."""
        there = [f"{stem}{kind}" for kind in KINDS if f"{stem}{kind}" in sums]
        if not there:
            raise PortError(
                f"cannot install ollama {version}: its {self._source.sums} names no {stem}{KINDS[0]} → "
                "name another --version",
                refused=True,
            )
        if self.tools.host.program("zstd") is None:
            there = [name for name in there if not name.endswith(".zst")]
        if not there:
            raise PortError(f"cannot unpack {stem}{KINDS[0]}: there is no zstd → {ZSTD}", refused=True)
        return there[0]
