"""What the parts have in common whose versions lie side by side on a shelf."""

from dataclasses import dataclass
from pathlib import Path

from inferagent.ports import PortError
from inferagent.programs.install.part import Offer, Tools
from inferagent.programs.install.shelf import Shelf, link_program
from inferagent.programs.install.sums import check_sum


@dataclass(frozen=True)
class Shelved:
    """`programs`: which of a version's programs this host finds by name."""

    tools: Tools
    name: str
    programs: tuple[str, ...] = ()

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.tools.host.parts / self.name, self.tools.host.flush)

    @property
    def now(self) -> str:
        return self.shelf.current

    @property
    def earlier(self) -> str:
        return self.shelf.before

    @property
    def program(self) -> str:
        return str(self.shelf.folder / "current" / "bin" / self.programs[0]) if self.programs else ""

    def switch(self, version: str) -> tuple[str, ...]:
        shelf, host = self.shelf, self.tools.host
        shelf.switch(version)
        remarks = [
            link_program(host.links, program, shelf.folder / "current" / "bin" / program)
            for program in self.programs
            if (shelf.folder / version / "bin" / program).exists()
        ]
        shelf.prune()
        return tuple(remark for remark in remarks if remark)

    def back(self) -> None:
        self.shelf.switch(self.earlier)

    def offer(self, version: str, steps: tuple[str, ...], remarks: tuple[str, ...] = ()) -> Offer:
        """`steps` until it is here; none of them where it is."""
        shelf = self.shelf
        made = () if shelf.has(version) else steps
        link = () if shelf.current == version else (f"switch {shelf.folder / 'current'} to {version}",)
        kept = (f"keep {shelf.current} for --rollback",) if link and shelf.current else ()
        return Offer(self.name, version, shelf.current, (*made, *link, *kept), remarks)

    def fetched(self, url: str, kept: str, expected: str, what: str) -> Path:
        """A file of that sha256 among the downloads, as `kept`: one that an earlier run has left is taken."""
        progress, path = self.tools.progress, self.shelf.downloads / kept
        path.parent.mkdir(mode=0o755, exist_ok=True)
        if not path.exists():
            progress.step(f"fetching {what}")
            self.tools.downloads.file(url, path, progress.bytes)
        progress.step(f"checking {url.rpartition('/')[2]}")
        check_sum(path, expected, url)
        return path

    def tried(self, program: Path, expected: str) -> None:
        """The program runs on this host, and is what it should be."""
        words = self.tools.commands.run(
            (str(program), "--version"),
            self.tools.sources.patience.program,
            {"HOME": str(self.shelf.downloads)},
        )
        if expected not in words:
            said = (words.strip().splitlines() or ["nothing"])[-1]
            raise PortError(f"cannot trust {program}: it says {said!r}, expected {expected}", refused=True)
